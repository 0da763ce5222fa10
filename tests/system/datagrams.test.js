// Signed transactions as datagrams: receipts, repetition, and every way of spreading the work over cores.
import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { readReceipt, Sender, verdicts } from './support/datagrams.js';
import { startNode, until, workFolder } from './support/node.js';
import { accounts, bytesOf, hashOf, sign, stranger } from './support/wallets.js';
import { genesis } from './support/genesis.js';

test('five lines of script submit a transaction and read its receipt', async (t) => {
  const node = await startNode(t);
  const raw = sign(accounts[0], { nonce: 0, to: stranger(7), value: 12345n });

  const socket = dgram.createSocket('udp4');
  const receipt = new Promise((resolve) => socket.once('message', resolve));
  socket.send(bytesOf(raw), node.udpPort, '127.0.0.1');
  const bytes = await receipt;
  socket.close();

  assert.equal(bytes.length, 48);
  assert.equal(bytes[0], 0xb5, 'magic');
  assert.equal(bytes[1], 1, 'version');
  assert.equal(bytes[2], 6, 'a receipt');
  assert.equal(verdicts[bytes[3]], 'EXECUTED');
  assert.equal(bytes[4], 0, 'success');
  assert.equal(bytes.readUInt16BE(6), 0, 'the first ledger');
  assert.equal(bytes.readBigUInt64BE(8), 1n, 'block 1');
  assert.equal('0x' + bytes.subarray(16).toString('hex'), hashOf(raw));
  await node.shows(readReceipt(bytes));
  assert.equal(await node.balance(stranger(7)), 12345n);
  const known = await node.call('eth_getTransactionReceipt', [hashOf(raw)]);
  assert.equal(known.blockNumber, '0x1');
  assert.equal(known.status, '0x1');
});

test('every type of transaction is taken as a datagram', async (t) => {
  const node = await startNode(t);
  const sender = new Sender(t, node.udpPort);
  const authorization = accounts[1].authorizeSync({ address: stranger(9), nonce: 0, chainId: 31337 });
  const raws = [
    sign(accounts[0], { type: 0, nonce: 0 }),
    sign(accounts[0], { type: 0, nonce: 1, chainId: 0n }), // without replay protection
    sign(accounts[0], { type: 1, nonce: 2, gasLimit: 30000n, accessList: [{ address: stranger(1), storageKeys: [] }] }),
    sign(accounts[0], { type: 2, nonce: 3 }),
    sign(accounts[0], { type: 4, nonce: 4, gasLimit: 60000n, authorizationList: [authorization] }),
  ];
  for (const raw of raws) {
    const receipt = await sender.submit(raw);
    assert.deepEqual([receipt.verdict, receipt.detail], ['EXECUTED', 0], JSON.stringify(receipt));
    await node.shows(receipt);
  }
  assert.equal(await node.nonce(accounts[0].address), raws.length);
  const delegated = '0xef0100' + stranger(9).slice(2);
  assert.equal(await node.call('eth_getCode', [accounts[1].address, 'latest']), delegated);
});

test('a transaction that fails is executed, and its receipt says why', async (t) => {
  const node = await startNode(t);
  const sender = new Sender(t, node.udpPort);
  const reverting = '0x60006000fd'; // REVERT(0, 0)
  const receipt = await sender.submit(sign(accounts[0], { nonce: 0, to: null, data: reverting, gasLimit: 100000n }));
  assert.equal(receipt.verdict, 'EXECUTED');
  assert.notEqual(receipt.detail, 0);
  await node.shows(receipt);
  const known = await node.call('eth_getTransactionReceipt', [receipt.hash]);
  assert.equal(known.status, '0x0');
  assert.equal((await sender.submit(sign(accounts[0], { nonce: 1 }))).detail, 0);
});

test('a repeated datagram is answered the same and applied once', async (t) => {
  const node = await startNode(t);
  const sender = new Sender(t, node.udpPort);
  const raw = sign(accounts[0], { nonce: 0, to: stranger(3), value: 5n });
  for (let i = 0; i < 20; i++) await sender.send(bytesOf(raw)); // before it can have been answered
  const first = await sender.submit(raw);
  const other = new Sender(t, node.udpPort);
  const second = await other.submit(raw);
  assert.deepEqual([first.verdict, first.block], ['EXECUTED', 1]);
  assert.deepEqual(second, first);
  await node.shows(first);
  assert.equal(await node.balance(stranger(3)), 5n);
  assert.equal(await node.nonce(accounts[0].address), 1);
  const stages = await node.stats('/hanse/stages');
  assert.ok(stages.duplicates >= 2, `duplicates: ${stages.duplicates}`);
  assert.equal(stages.verified, 1, 'a hash that was seen costs no second verification');
  assert.equal((await node.stats('/hanse/ledger,dev')).transactions, 1);
});

test('whichever way it came first, a repeated transaction hears the first outcome', async (t) => {
  const data = path.join(workFolder(t), 'data');
  let node = await startNode(t, { data });
  let sender = new Sender(t, node.udpPort);
  const [first, second] = [0, 1].map((nonce) => sign(accounts[0], { nonce, to: stranger(4), value: 6n }));
  const executed = (raw, block) => ({ verdict: 'EXECUTED', detail: 0, ledger: 0, block, hash: hashOf(raw) });

  assert.equal(await node.call('eth_sendRawTransaction', [first]), hashOf(first));
  assert.deepEqual(await sender.submit(first, { takeKnown: true }), executed(first, 1));
  assert.deepEqual(await sender.submit(second, { takeKnown: true }), executed(second, 2));
  for (const raw of [first, second]) {
    const answer = await node.ask('eth_sendRawTransaction', [raw]);
    assert.equal(answer.error?.message, 'already known');
  }
  assert.deepEqual(await sender.submit(first, { takeKnown: true }), executed(first, 1));

  await node.stop();
  node = await startNode(t, { data });
  sender = new Sender(t, node.udpPort);
  assert.deepEqual(await sender.submit(first, { takeKnown: true }), executed(first, 1));
  const last = await sender.submit(second, { takeKnown: true });
  assert.deepEqual(last, executed(second, 2));
  await node.shows(last);
  assert.equal(await node.balance(stranger(4)), 12n);
});

test('a transaction that waits is known, whichever way it came, until it has its outcome', async (t) => {
  const node = await startNode(t);
  const sender = new Sender(t, node.udpPort);
  const [first, second, third] = [0, 1, 2].map((nonce) => sign(accounts[0], { nonce }));
  assert.equal(await node.call('eth_sendRawTransaction', [second]), hashOf(second));
  await sender.send(bytesOf(third));
  await until(() => node.call('eth_getTransactionByHash', [hashOf(third)]), 'it waits in the pool');
  for (const raw of [second, third]) {
    const receipt = await sender.submit(raw, { takeKnown: true });
    assert.deepEqual([receipt.verdict, receipt.ledger, receipt.block], ['KNOWN', 0, 0]);
    assert.equal((await node.ask('eth_sendRawTransaction', [raw])).error?.message, 'already known');
  }
  assert.equal((await sender.submit(first)).verdict, 'EXECUTED');
  for (const raw of [second, third]) {
    const receipt = await sender.submit(raw);
    assert.deepEqual([receipt?.verdict, receipt?.ledger], ['EXECUTED', 0]);
    await node.shows(receipt);
    const known = await node.call('eth_getTransactionReceipt', [hashOf(raw)]);
    assert.equal(receipt.block, Number(known.blockNumber));
  }
});

test('what was skipped may come again', async (t) => {
  const node = await startNode(t);
  const sender = new Sender(t, node.udpPort);
  const raw = sign(accounts[0], { nonce: 0, maxFeePerGas: 1n, maxPriorityFeePerGas: 1n });
  for (let i = 0; i < 2; i++) {
    const receipt = await sender.submit(raw);
    assert.deepEqual([receipt.verdict, receipt.detail, receipt.ledger], ['SKIPPED', 'FEE_CAP_BELOW_BASE_FEE', 0]);
    const answer = await node.ask('eth_sendRawTransaction', [raw]);
    assert.match(answer.error?.message, /^max fee per gas less than block base fee/);
  }
});

// Genesis files of ledgers with these chain ids, as arguments: the first is named one.
function twoLedgers(t) {
  const folder = workFolder(t);
  return [1001, 1002].flatMap((chainId) => {
    const file = path.join(folder, `${chainId}.json`);
    fs.writeFileSync(file, genesis({ chainId }));
    return ['--ledger', `${chainId === 1001 ? 'one' : 'two'}=${file}`];
  });
}

test('an acknowledgement names the ledger, also when it refuses, or says that there is none', async (t) => {
  const node = await startNode(t, { dev: false, args: twoLedgers(t) });
  const sender = new Sender(t, node.udpPort);
  const told = async (fields, options) => {
    const receipt = await sender.submit(sign(accounts[0], fields), options);
    return [receipt?.verdict, receipt?.detail, receipt?.ledger];
  };
  for (const [ledger, chainId] of [1001, 1002].entries()) {
    assert.deepEqual(await told({ chainId, nonce: 0 }), ['EXECUTED', 0, ledger]);
    assert.deepEqual(await told({ chainId, nonce: 0, value: 2n }), ['REJECTED', 'NONCE_TOO_LOW', ledger]);
    assert.deepEqual(await told({ chainId, nonce: 1, gasLimit: 20000n }), ['REJECTED', 'INTRINSIC_GAS', ledger]);
    const gapped = { chainId, nonce: 2 };
    await sender.send(bytesOf(sign(accounts[0], gapped)));
    const hash = hashOf(sign(accounts[0], gapped));
    await until(() => node.call('eth_getTransactionByHash', [hash], ['/one', '/two'][ledger]), 'it waits');
    assert.deepEqual(await told(gapped, { takeKnown: true }), ['KNOWN', 0, ledger]);
  }
  assert.deepEqual(await told({ chainId: 1003, nonce: 0 }), ['REJECTED', 'WRONG_CHAIN_ID', null]);
  const malformed = await sender.submit('0xf0' + '11'.repeat(60)); // a list of another length
  assert.deepEqual([malformed?.verdict, malformed?.detail, malformed?.ledger], ['REJECTED', 'MALFORMED', null]);
});

test('every ledger has its own outcome of a transaction without replay protection', async (t) => {
  const node = await startNode(t, { dev: false, args: twoLedgers(t) });
  const sender = new Sender(t, node.udpPort);
  await node.call('eth_sendRawTransaction', [sign(accounts[1], { chainId: 1002, nonce: 0 })], '/two');
  const raw = sign(accounts[0], { type: 0, chainId: 0n, nonce: 0, to: stranger(2), value: 3n });
  assert.equal(await node.call('eth_sendRawTransaction', [raw], '/two'), hashOf(raw));
  assert.equal((await node.call('eth_getTransactionReceipt', [hashOf(raw)], '/two')).blockNumber, '0x2');
  // A datagram without chain id is for the first ledger, which has not seen it.
  for (let i = 0; i < 2; i++) {
    const receipt = await sender.submit(raw);
    assert.deepEqual([receipt?.verdict, receipt?.ledger, receipt?.block], ['EXECUTED', 0, 1]);
    await node.shows(receipt);
  }
  for (const where of ['/one', '/two']) {
    assert.equal((await node.ask('eth_sendRawTransaction', [raw], where)).error?.message, 'already known');
    assert.equal(await node.balance(stranger(2), where), 3n);
  }
});

test('a submission to another ledger leaves the outcome alone', async (t) => {
  const node = await startNode(t, { dev: false, args: twoLedgers(t) });
  const sender = new Sender(t, node.udpPort);
  const raw = sign(accounts[0], { chainId: 1002, nonce: 0 });
  const first = await sender.submit(raw);
  assert.deepEqual([first?.verdict, first?.ledger], ['EXECUTED', 1]);
  assert.match((await node.ask('eth_sendRawTransaction', [raw], '/one')).error?.message, /^invalid sender: invalid chain id for signer/);
  assert.deepEqual(await sender.submit(raw), first);
});

async function flood(t, node, count) {
  const senders = [new Sender(t, node.udpPort), new Sender(t, node.udpPort)];
  const jobs = [];
  for (let i = 0; i < count; i++) {
    for (const [index, wallet] of accounts.slice(0, 4).entries()) {
      const raw = sign(wallet, { nonce: i, to: stranger(100 + index), value: 2n });
      jobs.push(senders[index % 2].submit(raw));
    }
  }
  await node.shows(...(await Promise.all(jobs)));
  for (let i = 0; i < 4; i++) {
    assert.equal(await node.balance(stranger(100 + i)), 2n * BigInt(count));
    assert.equal(await node.nonce(accounts[i].address), count);
  }
}

for (const args of [['--cores', '1'], ['--cores', '2'], ['--cores', '3'], ['--cores', '5'], ['--cores', '2', '--polling']]) {
  test(`transactions flow with ${args.join(' ')}`, async (t) => {
    const node = await startNode(t, { args });
    await flood(t, node, 25);
    assert.deepEqual(await node.stop(), { code: 0, signal: null });
  });
}

for (const cores of ['1', '2', '3']) {
  test(`two ledgers on two shards with ${cores} cores`, async (t) => {
    const node = await startNode(t, { dev: false, args: ['--cores', cores, '--shards', '2', ...twoLedgers(t)] });
    const senders = [new Sender(t, node.udpPort), new Sender(t, node.udpPort)];
    const jobs = [];
    for (let nonce = 0; nonce < 25; nonce++)
      for (const ledger of [0, 1])
        for (const wallet of accounts.slice(0, 2))
          jobs.push(senders[ledger].submit(sign(wallet, { chainId: 1001 + ledger, nonce, to: stranger(ledger) })));
    const receipts = await Promise.all(jobs);
    for (const [i, receipt] of receipts.entries())
      assert.deepEqual([receipt?.verdict, receipt?.ledger], ['EXECUTED', Math.floor(i / 2) % 2]);
    assert.equal((await node.stats('/hanse/ledger,one')).shard, 0);
    assert.equal((await node.stats('/hanse/ledger,two')).shard, 1);
    await node.shows(...receipts);
    for (const [ledger, name] of ['one', 'two'].entries()) {
      assert.equal(await node.balance(stranger(ledger), `/${name}`), 50n);
      assert.equal(await node.balance(stranger(1 - ledger), `/${name}`), 0n);
    }
    assert.deepEqual(await node.stop(), { code: 0, signal: null });
  });
}
