// Datagrams that are nobody's: cut, oversized, garbage, repeated, and frames that break the protocol.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { test } from 'node:test';

import { Sender } from './support/datagrams.js';
import { startNode, until } from './support/node.js';
import { accounts, bytesOf, hashOf, sign, stranger } from './support/wallets.js';

const errors = { COOKIE: 1, WINDOW: 2, FULL: 3, MALFORMED: 4, VERSION: 5 };

function header(type, count, session, version = 1) {
  const bytes = Buffer.from([0xb5, version, type, count, 0, 0, 0, 0]);
  bytes.writeUInt32BE(session, 4);
  return bytes;
}

function submitFrame({ session, cookie, sequence = 0n, ahead = 0, level = 2, count, transactions, tail = '' }) {
  const head = Buffer.alloc(20);
  head.writeBigUInt64BE(cookie, 0);
  head.writeBigUInt64BE(sequence, 8);
  head[16] = ahead;
  head[17] = level;
  const parts = transactions.map((raw) => {
    const size = Buffer.alloc(2);
    size.writeUInt16BE(bytesOf(raw).length);
    return Buffer.concat([size, bytesOf(raw)]);
  });
  return Buffer.concat([header(3, count ?? transactions.length, session), head, ...parts, Buffer.from(tail)]);
}

// Sends one datagram and waits for the next answer that is no receipt.
async function exchange(sender, bytes) {
  const known = sender.others.length;
  await sender.send(bytes);
  await until(() => sender.others.length > known, 'an answer');
  return sender.others[known];
}

// Sends many datagrams no faster than the node reads them, so that none is lost on the way to it.
async function sendAll(node, sender, datagrams) {
  const before = (await node.stats('/hanse/port')).received;
  let sent = 0;
  let unread = 0;
  for (const [index, bytes] of datagrams.entries()) {
    await sender.send(bytes);
    sent++;
    unread += bytes.length + 1000;
    if (unread < 60000 && index + 1 < datagrams.length) continue;
    await until(async () => (await node.stats('/hanse/port')).received - before === sent, 'all have arrived');
    unread = 0;
  }
}

async function hello(sender, session) {
  const answer = await exchange(sender, Buffer.concat([header(1, 0, session), Buffer.alloc(16)]));
  assert.deepEqual([answer.length, answer[2]], [24, 2], 'a cookie');
  return answer.readBigUInt64BE(8);
}

test('every beginning of a transaction is refused or dropped, and counted', async (t) => {
  const node = await startNode(t);
  const sender = new Sender(t, node.udpPort);
  const whole = bytesOf(sign(accounts[0], { nonce: 0, to: stranger(2), value: 3n }));
  await sendAll(node, sender, Array.from({ length: whole.length - 1 }, (_, i) => whole.subarray(0, i + 1)));
  const wire = await until(async () => {
    const now = await node.stats('/hanse/wire');
    return now.datagrams >= whole.length - 1 && now;
  }, 'all are counted');
  assert.equal(wire.malformed, 15, 'shorter than any transaction: dropped');
  assert.equal(wire.answered_at_once, whole.length - 16);
  await until(() => [...sender.receipts.values()].flat().length === whole.length - 16, 'all are answered');
  for (const receipt of [...sender.receipts.values()].flat())
    assert.deepEqual([receipt.verdict, receipt.detail], ['REJECTED', 'MALFORMED']);
  assert.equal(await node.balance(stranger(2)), 0n);
  assert.equal((await sender.submit('0x' + whole.toString('hex'))).verdict, 'EXECUTED');
});

test('garbage of every first byte and size harms nothing', async (t) => {
  const node = await startNode(t);
  const sender = new Sender(t, node.udpPort);
  const garbage = (first, size) => {
    const bytes = crypto.createHash('shake256', { outputLength: size }).update(`${first} ${size}`).digest();
    bytes[0] = first;
    return bytes;
  };
  const small = Array.from({ length: 256 }, (_, first) => [1, 7, 8, 15, 16, 33, 47, 48, 200].map((size) => garbage(first, size)));
  const large = [1400, 9000, 30000, 65507].map((size) => [0x02, 0xb5, 0xf8, 0xf9, 0xfa].map((first) => garbage(first, size)));
  await sendAll(node, sender, [...small, ...large].flat());
  const stages = await node.stats('/hanse/stages');
  assert.equal(stages.frames, 0);
  assert.equal(await node.call('eth_blockNumber'), '0x0');
  for (const receipt of [...sender.receipts.values()].flat()) assert.equal(receipt.verdict, 'REJECTED');
  assert.equal((await sender.submit(sign(accounts[0], { nonce: 0 }))).verdict, 'EXECUTED');
});

test('random changes of a good transaction never execute anything for its sender', async (t) => {
  const node = await startNode(t);
  const sender = new Sender(t, node.udpPort);
  const good = sign(accounts[0], { nonce: 0, to: stranger(2), value: 3n });
  const whole = bytesOf(good);
  const changed = Array.from(whole, (_, position) => {
    const bytes = Buffer.from(whole);
    bytes[position] ^= 1 << position % 8;
    return bytes;
  });
  await sendAll(node, sender, changed);
  await until(async () => {
    const stages = await node.stats('/hanse/stages');
    const wire = await node.stats('/hanse/wire');
    return wire.datagrams === whole.length && stages.replies === stages.received;
  }, 'all are answered');
  assert.equal((await node.stats('/hanse/verdicts')).verdict_EXECUTED, 0);
  assert.equal(await node.nonce(accounts[0].address), 0);
  await node.shows(await sender.submit(good));
  assert.equal(await node.balance(stranger(2)), 3n);
});

test('frames that break the protocol are answered with an error and counted', async (t) => {
  const node = await startNode(t);
  const sender = new Sender(t, node.udpPort);
  const session = 0x01020304;
  const raw = sign(accounts[0], { nonce: 0 });
  const expectError = async (bytes, error, what) => {
    const answer = await exchange(sender, bytes);
    assert.deepEqual([answer.length, answer[2], answer[16]], [24, 5, errors[error]], what);
  };
  const cookie = await hello(sender, session);
  const frame = { session, cookie, transactions: [raw] };
  await expectError(submitFrame({ ...frame, cookie: cookie ^ 1n }), 'COOKIE', 'a wrong cookie');
  await expectError(submitFrame({ ...frame, session: session + 1 }), 'COOKIE', 'the cookie of another session');
  const elsewhere = new Sender(t, node.udpPort);
  const stolen = await exchange(elsewhere, submitFrame(frame));
  assert.deepEqual([stolen[2], stolen[16]], [5, errors.COOKIE], 'the cookie of another address');
  await expectError(Buffer.concat([header(3, 1, session, 2), Buffer.alloc(40)]), 'VERSION', 'another version');
  await expectError(submitFrame({ ...frame, tail: 'x' }), 'MALFORMED', 'a byte too many');
  await expectError(submitFrame(frame).subarray(0, -1), 'MALFORMED', 'a byte too few');
  await expectError(submitFrame({ ...frame, count: 0 }), 'MALFORMED', 'no transaction');
  await expectError(submitFrame({ ...frame, count: 33 }), 'MALFORMED', 'more transactions than allowed');
  await expectError(submitFrame({ ...frame, count: 2 }), 'MALFORMED', 'fewer transactions than counted');
  await expectError(submitFrame({ ...frame, ahead: 1 }), 'MALFORMED', 'ahead of the beginning');
  await expectError(submitFrame({ ...frame, ahead: 64, sequence: 100n }), 'MALFORMED', 'a window too wide');
  await expectError(submitFrame({ ...frame, level: 3 }), 'MALFORMED', 'an unknown level');
  const wire = await node.stats('/hanse/wire');
  assert.equal(wire.bad_cookie, 3);
  assert.equal(wire.malformed, 9);
  assert.equal(wire.transactions, 0);
  assert.equal(wire.sessions_opened, 0);
  // What only servers send is not answered.
  for (const type of [0, 2, 4, 5, 6, 7, 8, 255]) await sender.send(Buffer.concat([header(type, 0, session), Buffer.alloc(40)]));
  await sender.send(header(1, 0, session)); // a greeting too short to be answered
  await until(async () => (await node.stats('/hanse/wire')).malformed === 18, 'they are counted');

  const answer = await exchange(sender, submitFrame(frame));
  assert.equal(answer[2], 4, 'the right frame is acknowledged');
  await until(() => sender.others.some((other) => other[2] === 4 && other[3] === 1 && other[36 + 1] === 2), 'executed');
  await until(async () => (await node.nonce(accounts[0].address)) === 1, 'readers see it');
});

test('a repeated frame is acknowledged again and applied once', async (t) => {
  const node = await startNode(t);
  const sender = new Sender(t, node.udpPort);
  const session = 77;
  const cookie = await hello(sender, session);
  const transactions = [0, 1, 2].map((nonce) => sign(accounts[0], { nonce, to: stranger(4), value: 6n }));
  transactions.push(sign(accounts[0], { nonce: 0, chainId: 4 })); // of no ledger
  const frame = submitFrame({ session, cookie, transactions });
  for (let i = 0; i < 10; i++) await sender.send(frame);
  const readResults = (ack) => {
    const results = [];
    for (let at = 36; at < ack.length; at += 16) {
      const place = ack.readBigUInt64BE(at + 8);
      results.push([ack[at + 1], ack[at + 2], ack.readUInt32BE(at + 4), Number(place & 0xffffffffffffn), place >> 48n]);
    }
    return results;
  };
  const isWhole = (ack) => readResults(ack).reduce((all, [, , items]) => all | items, 0) === 0b1111;
  await until(() => sender.others.some((other) => other[2] === 4), 'an acknowledgement');
  for (let i = 0; i < 10; i++) await sender.send(frame);
  await until(async () => (await node.stats('/hanse/wire')).frames_repeated === 19, 'all have arrived');
  assert.equal((await node.stats('/hanse/wire')).frames, 1);
  const last = await until(async () => {
    const ack = await exchange(sender, frame);
    return isWhole(ack) && ack;
  }, 'all results in one acknowledgement');
  const results = readResults(last);
  const executed = results.filter(([verdict]) => verdict === 2);
  assert.equal(executed.reduce((all, [, , items]) => all | items, 0), 0b0111);
  assert.ok(executed.every(([, detail, , block, ledger]) => detail === 0 && block >= 1 && ledger === 0n));
  const refused = results.filter(([verdict]) => verdict !== 2);
  assert.deepEqual(refused, [[3, 3, 0b1000, 0, 0xffffn]], 'the last one: wrong chain id, so no ledger');
  await until(async () => (await node.nonce(accounts[0].address)) === 3, 'readers see them');
  assert.equal(await node.balance(stranger(4)), 18n);
});

// As submitFrame, with addresses, and for each transaction the number of its supposed sender.
function toldFrame({ session, cookie, sequence, senders, told, transactions }) {
  const plain = submitFrame({ session, cookie, sequence, transactions: [] });
  plain[3] = transactions.length;
  plain[26] = senders.length;
  const items = transactions.map((raw, i) => {
    const head = Buffer.alloc(3);
    head.writeUInt16BE(bytesOf(raw).length);
    head[2] = told[i];
    return Buffer.concat([head, bytesOf(raw)]);
  });
  return Buffer.concat([plain, ...senders.map((address) => bytesOf(address)), ...items]);
}

test('whoever is said to send a transaction, its signature decides', async (t) => {
  const node = await startNode(t);
  const sender = new Sender(t, node.udpPort);
  const cookie = await hello(sender, 9);
  const senders = [...accounts.slice(0, 4).map((account) => account.address), stranger(5), '0x' + '00'.repeat(20)];
  const rounds = 12;
  for (let round = 0; round < rounds; round++) {
    // Right, another known one, a stranger, nobody at all, not told: in turn.
    const told = accounts.slice(0, 4).map((_, i) => (round < 4 ? i : [i, (i + 1) % 4, 4, 5, 255][(round + i) % 5]));
    const transactions = accounts.slice(0, 4).map((account) => sign(account, { nonce: round, to: stranger(6), value: 1n }));
    const frame = toldFrame({ session: 9, cookie, sequence: BigInt(round), senders, told, transactions });
    for (let items = 0; items !== 0b1111; ) {
      const ack = await exchange(sender, frame);
      assert.equal(ack[2], 4, 'an acknowledgement');
      for (let at = 36; at < ack.length; at += 16) {
        assert.deepEqual([ack[at + 1], ack[at + 2]], [2, 0], 'executed');
        if (ack.readBigUInt64BE(16) + BigInt(ack[at]) === BigInt(round)) items |= ack.readUInt32BE(at + 4);
      }
    }
  }
  for (const account of accounts.slice(0, 4)) assert.equal(await node.nonce(account.address), rounds);
  await until(async () => (await node.balance(stranger(6))) === BigInt(4 * rounds), 'all of it has arrived');
  const stages = await node.stats('/hanse/stages');
  assert.ok(Number.isInteger(stages.sender_keys), 'keys of senders are kept');
  // Machines without a kernel for known keys recover all and count nothing.
  if (stages.sender_keys > 0) assert.ok(stages.hints_proven > 0 && stages.hints_wrong > 10, JSON.stringify(stages));

  const transactions = [sign(accounts[0], { nonce: rounds, to: stranger(6) })];
  const bad = toldFrame({ session: 9, cookie, sequence: BigInt(rounds), senders, told: [6], transactions });
  await sender.send(bad);
  const error = await until(() => sender.others.find((other) => other[2] === 5), 'an error');
  assert.equal(error[16], errors.MALFORMED, 'a sender that is not there');
});
