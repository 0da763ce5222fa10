// Signed transactions as datagrams: receipts, repetition, and every way of spreading the work over cores.
import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { Sender, verdicts } from './support/datagrams.js';
import { startNode, workFolder } from './support/node.js';
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
  assert.equal(await node.balance(stranger(3)), 5n);
  assert.equal(await node.nonce(accounts[0].address), 1);
  const stages = await node.stats('/hanse/stages');
  assert.ok(stages.duplicates >= 2, `duplicates: ${stages.duplicates}`);
  assert.equal((await node.stats('/hanse/ledger,dev')).transactions, 1);
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
  for (const receipt of await Promise.all(jobs)) assert.equal(receipt?.verdict, 'EXECUTED', JSON.stringify(receipt));
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
    const folder = workFolder(t);
    const files = [1001, 1002].map((chainId) => {
      const file = path.join(folder, `${chainId}.json`);
      fs.writeFileSync(file, genesis({ chainId }));
      return file;
    });
    const args = ['--cores', cores, '--shards', '2', '--ledger', `one=${files[0]}`, '--ledger', `two=${files[1]}`];
    const node = await startNode(t, { dev: false, args });
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
    for (const [ledger, name] of ['one', 'two'].entries()) {
      assert.equal(await node.balance(stranger(ledger), `/${name}`), 50n);
      assert.equal(await node.balance(stranger(1 - ledger), `/${name}`), 0n);
    }
    assert.deepEqual(await node.stop(), { code: 0, signal: null });
  });
}
