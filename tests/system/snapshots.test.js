// Snapshots that are written while transactions flow: killed in the middle, damaged, and what the next start makes of it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { Sender } from './support/datagrams.js';
import { binary, defer, sleep, startNode, until, workFolder } from './support/node.js';
import { accounts, developmentChain, hashOf, sign, stranger } from './support/wallets.js';

const args = ['--log-segment', '8', '--snapshot-every-frames', '100', '--snapshot-frames', '0', '--snapshot-rate', '1'];

function startLoad(t, node, seed) {
  const child = spawn(
    binary,
    ['load', '--address', `127.0.0.1:${node.udpPort}`, '--rpc', node.url, '--count', '20000', '--rate', '3000',
      '--senders', '8', '--recipients', '3000', '--seed', String(seed), '--timeout', '1', '--no-check'],
    { stdio: 'ignore' },
  );
  child.closed = new Promise((resolve) => child.on('close', resolve));
  defer(t, () => child.kill('SIGKILL'));
  return child;
}

const filesOf = (data, ending) => fs.readdirSync(data).filter((name) => name.endsWith(ending)).sort();

// Everything that was acknowledged is there, in the block that was told.
async function check(node, acknowledged) {
  for (const [hash, block] of acknowledged) {
    const receipt = await node.call('eth_getTransactionReceipt', [hash]);
    assert.ok(receipt, `${hash} was acknowledged in block ${block} and is gone`);
    assert.equal(Number(receipt.blockNumber), block);
  }
  const nonce = await node.nonce(accounts[1].address);
  assert.ok(nonce >= acknowledged.size, `${acknowledged.size} were acknowledged, the nonce is ${nonce}`);
  assert.equal(await node.balance(stranger(7)), BigInt(nonce));
  return nonce;
}

// One account pays 1 wei at a time until it is told to stop or the node is gone.
async function pay(t, node, acknowledged, nonce, load) {
  const sender = new Sender(t, node.udpPort);
  for (; load.isRunning; nonce++) {
    const raw = sign(accounts[1], { chainId: developmentChain, nonce, to: stranger(7), value: 1n });
    const receipt = await sender.submit(raw, { timeout: 1500, again: 100 });
    if (receipt === null) break;
    assert.equal(receipt.verdict, 'EXECUTED', JSON.stringify(receipt));
    acknowledged.set(hashOf(raw), receipt.block);
  }
  sender.close();
}

test('snapshots are written while transactions flow; kill -9 in the middle loses nothing', async (t) => {
  const data = path.join(workFolder(t), 'data');
  const acknowledged = new Map();
  for (let round = 0; round < 2; round++) {
    const node = await startNode(t, { data, args });
    const nonce = await check(node, acknowledged);
    assert.deepEqual(filesOf(data, '.tmp'), [], 'what was not completed is gone');
    const generator = startLoad(t, node, 7 + round);
    const load = { isRunning: true };
    const paying = pay(t, node, acknowledged, nonce, load);
    await until(async () => node.end || (await node.stats('/hanse/snapshots')).written >= 2, 'snapshots are written', 30000);
    assert.ok(!node.end, `the node ended by itself: ${JSON.stringify(node.end)} ${node.stderr}`);
    if (round === 1) await until(() => filesOf(data, '.tmp').length !== 0, 'one is being written', 30000);
    else await sleep(100);
    await node.stop('SIGKILL');
    load.isRunning = false;
    await paying;
    generator.kill('SIGKILL');
    await generator.closed;
    assert.equal(filesOf(data, '.snapshot').length, 2, 'two are kept');
  }

  // The newest one is damaged: the one before is as good.
  const [, newest] = filesOf(data, '.snapshot');
  const file = path.join(data, newest);
  const bytes = fs.readFileSync(file);
  bytes[bytes.length >> 1] ^= 1;
  fs.writeFileSync(file, bytes);
  const node = await startNode(t, { data, args });
  await check(node, acknowledged);
  assert.match(node.stderr, new RegExp(`${newest}: offset \\d+`));
  assert.doesNotMatch(node.stderr, /whole log/);
});

test('one is written when somebody asks, and the stats tell of it', async (t) => {
  const node = await startNode(t, { args: ['--snapshot-every-minutes', '0'] });
  const sender = new Sender(t, node.udpPort);
  const raw = sign(accounts[1], { chainId: developmentChain, nonce: 0, to: stranger(7), value: 1n });
  await node.shows(await sender.submit(raw));
  assert.equal((await node.stats('/hanse/snapshots')).written, 0);
  await node.stats('/hanse/snapshots,now');
  const done = await until(async () => {
    const status = await node.stats('/hanse/snapshots');
    return status.rounds === 1 && status;
  }, 'a round is over');
  assert.deepEqual([done.written, done.failed, done.last_index, done.state], [1, 0, 1, 'idle']);
  assert.deepEqual(filesOf(node.data, '.snapshot'), ['dev-00000000000000000001.snapshot']);
});
