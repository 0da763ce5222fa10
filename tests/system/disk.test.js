// Disks that are full, that may not be written, or that are no directories at all.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { Sender } from './support/datagrams.js';
import { genesis } from './support/genesis.js';
import { defer, isRoot, refusedNode, run, sleep, startNode, until, workFolder } from './support/node.js';
import { accounts, hashOf, sign, stranger } from './support/wallets.js';

const mebibyte = 1024 * 1024;

// A small file system of its own, taken away with the test; null where that is not allowed.
function mount(t, { size }) {
  const folder = path.join(workFolder(t), 'disk');
  fs.mkdirSync(folder);
  if (!isRoot || spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'hanse-system', folder]).status !== 0) return null;
  defer(t, () => spawnSync('umount', ['-l', folder]));
  return folder;
}

const isSkipped = (t, folder) => folder === null && (t.skip('file systems cannot be mounted here'), true);

// A transfer that takes about 60 KB of log.
const large = (wallet, nonce) =>
  sign(wallet, { nonce, to: stranger(1), value: 1n, data: '0x' + '00'.repeat(60000), gasLimit: 1000000n });

async function expectReads(node, nonce) {
  assert.equal(await node.nonce(accounts[0].address), nonce);
  assert.equal(await node.balance(stranger(1)), BigInt(nonce));
  assert.equal(await node.call('eth_call', [{ to: stranger(1) }, 'latest']), '0x');
}

test('a full disk closes the intake, reads go on, and room opens it again', async (t) => {
  const disk = mount(t, { size: '40m' });
  if (isSkipped(t, disk)) return;
  const ballast = path.join(disk, 'ballast');
  fs.writeFileSync(ballast, Buffer.alloc(26 * mebibyte));
  const data = path.join(disk, 'data');
  const args = ['--log-segment', '8', '--history-size', '1'];
  const node = await startNode(t, { data, args });
  const sender = new Sender(t, node.udpPort);

  // Until it says that it is full; what was acknowledged is kept in mind.
  const acknowledged = [];
  let nonce = 0;
  for (let last = null; last !== 'STOPPED'; ) {
    assert.ok(nonce < 1000, 'the disk is never full');
    const receipt = await sender.submit(large(accounts[0], nonce), { timeout: 2000 });
    last = receipt?.verdict ?? 'no answer';
    if (last === 'EXECUTED') {
      acknowledged.push(receipt);
      nonce++;
    } else if (last !== 'STOPPED') {
      // Taken in just before the disk was full: it waits for room.
      await until(async () => (await node.stats('/hanse/log')).state === 'full', `the state is full after "${last}"`);
    }
  }
  assert.ok(acknowledged.length > 20, `${acknowledged.length} were acknowledged`);
  const log = await node.stats('/hanse/log');
  assert.deepEqual([log.state, log.intake_closed], ['full', 1]);
  assert.match(node.stderr, /no space left for the log: taking no transactions until there is/);
  const answer = await node.ask('eth_sendRawTransaction', [sign(accounts[1], { nonce: 0 })]);
  assert.deepEqual([answer.error?.code, answer.error?.message], [-32000, 'the node takes no transactions at the moment']);
  assert.equal((await sender.submit(sign(accounts[2], { nonce: 0, to: stranger(2) }))).verdict, 'STOPPED');
  await expectReads(node, acknowledged.length);
  await sleep(1000);
  assert.equal((await node.stats('/hanse/log')).state, 'full', 'it stays so');

  fs.rmSync(ballast);
  await until(async () => (await node.stats('/hanse/log')).state === 'open', 'there is room again', 15000);
  await until(() => /the log has room again: taking transactions/.test(node.stderr), 'it says so');
  assert.equal((await node.stats('/hanse/log')).intake_closed, 0);
  const receipt = await sender.submit(large(accounts[0], nonce));
  assert.equal(receipt.verdict, 'EXECUTED');
  acknowledged.push(receipt);
  assert.equal((await sender.submit(sign(accounts[2], { nonce: 0, to: stranger(2) }))).verdict, 'EXECUTED');
  await until(async () => (await node.nonce(accounts[0].address)) === acknowledged.length, 'readers see it');
  for (const { hash, block } of acknowledged) {
    const found = await until(() => node.call('eth_getTransactionReceipt', [hash]), `${hash} has a receipt`);
    assert.equal(Number(found.blockNumber), block);
  }
  await node.stop('SIGKILL');
  const again = await startNode(t, { data, args });
  await expectReads(again, acknowledged.length);
  await again.stop();
  const audit = await run(['verify', '--data', data]);
  assert.deepEqual([audit.code, /Everything agrees/.test(audit.stdout)], [0, true], audit.stdout + audit.stderr);
});

test('a node that is killed or stopped while its disk is full loses nothing', async (t) => {
  const disk = mount(t, { size: '40m' });
  if (isSkipped(t, disk)) return;
  const ballast = path.join(disk, 'ballast');
  const data = path.join(disk, 'data');
  const args = ['--log-segment', '8', '--history-size', '1'];
  fs.writeFileSync(ballast, Buffer.alloc(26 * mebibyte));
  let count = 0;
  for (const signal of ['SIGKILL', 'SIGTERM']) {
    const node = await startNode(t, { data, args });
    const sender = new Sender(t, node.udpPort);
    for (;;) {
      const receipt = await sender.submit(large(accounts[0], count), { timeout: 500, again: 1000 });
      if (receipt?.verdict !== 'EXECUTED') break;
      count++;
    }
    await until(async () => (await node.stats('/hanse/log')).state === 'full', 'the disk is full');
    const end = await node.stop(signal);
    if (signal === 'SIGTERM') assert.ok([0, 1].includes(end.code), JSON.stringify(end));
    // Without room the node may refuse to start, but then it says why.
    const starting = await startNode(t, { data, args }).catch((error) => error);
    if (starting instanceof Error) assert.match(starting.message, /space/);
    else await starting.stop('SIGKILL');
    fs.truncateSync(ballast, signal === 'SIGKILL' ? 14 * mebibyte : 0);
    const again = await startNode(t, { data, args });
    const nonce = await again.nonce(accounts[0].address);
    assert.ok(nonce === count || nonce === count + 1, `${nonce} transactions, ${count} of them acknowledged`);
    count = nonce;
    await expectReads(again, count);
    await again.stop();
  }
  const audit = await run(['verify', '--data', data]);
  assert.deepEqual([audit.code, /Everything agrees/.test(audit.stdout)], [0, true], audit.stdout + audit.stderr);
});

test('a disk too small to begin with is told', async (t) => {
  const disk = mount(t, { size: '4m' });
  if (isSkipped(t, disk)) return;
  const answer = await refusedNode(t, ['--dev', '--data', path.join(disk, 'data'), '--log-segment', '8']);
  assert.equal(answer.code, 1);
  assert.match(answer.stderr, /hanse: .*space/);
  const file = path.join(workFolder(t), 'genesis.json');
  fs.writeFileSync(file, genesis({ chainId: 5, alloc: {} }));
  const full = path.join(disk, 'ballast');
  try {
    fs.writeFileSync(full, Buffer.alloc(8 * mebibyte));
  } catch (error) {
    assert.equal(error.code, 'ENOSPC');
  }
  const init = await run(['init', '--data', path.join(disk, 'other'), '--genesis', file]);
  assert.equal(init.code, 1, init.stdout);
  assert.match(init.stderr, /No space left on device/);
});

test('a read-only file system can be audited, and no node runs on it', async (t) => {
  const disk = mount(t, { size: '48m' });
  if (isSkipped(t, disk)) return;
  const data = path.join(disk, 'data');
  const node = await startNode(t, { data, args: ['--log-segment', '8', '--history-size', '1'] });
  await node.call('eth_sendRawTransaction', [sign(accounts[0], { nonce: 0 })]);
  await node.stop();
  assert.equal(spawnSync('mount', ['-o', 'remount,ro', disk]).status, 0);
  const answer = await refusedNode(t, ['--data', data]);
  assert.equal(answer.code, 1);
  assert.match(answer.stderr, /Read-only file system/);
  const fresh = await refusedNode(t, ['--dev', '--data', path.join(disk, 'fresh')]);
  assert.deepEqual([fresh.code, /fresh: Read-only file system/.test(fresh.stderr)], [1, true], fresh.stderr);
  const audit = await run(['verify', '--data', data]);
  assert.deepEqual([audit.code, /Everything agrees/.test(audit.stdout)], [0, true], audit.stdout + audit.stderr);
});

// Root may write everywhere: the node runs as nobody then.
const asNobody = isRoot ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];

test('a directory that may not be written is told', async (t) => {
  const folder = workFolder(t);
  fs.chmodSync(folder, 0o555);
  defer(t, () => fs.chmodSync(folder, 0o755));
  const options = { command: asNobody, env: { XDG_RUNTIME_DIR: '/tmp' } };
  const answer = await refusedNode(t, ['--dev', '--data', path.join(folder, 'data')], options);
  if (/setpriv/.test(answer.stderr)) return t.skip('another user cannot be taken on here');
  assert.equal(answer.code, 1);
  assert.match(answer.stderr, new RegExp(`${folder}/data: Permission denied`));
  assert.deepEqual(fs.readdirSync(folder), []);
});

test('a data directory of somebody else is told', { skip: !isRoot && 'needs root to make one' }, async (t) => {
  const data = path.join(workFolder(t), 'data');
  const node = await startNode(t, { data });
  await node.stop();
  fs.chmodSync(path.dirname(data), 0o755);
  const answer = await refusedNode(t, ['--dev', '--data', data], { command: asNobody, env: { XDG_RUNTIME_DIR: '/tmp' } });
  if (/setpriv/.test(answer.stderr)) return t.skip('another user cannot be taken on here');
  assert.equal(answer.code, 1);
  assert.match(answer.stderr, /Permission denied/);
});

test('a file as data directory is told, and left alone', async (t) => {
  const file = path.join(workFolder(t), 'file');
  fs.writeFileSync(file, 'precious');
  for (const data of [file, path.join(file, 'data')]) {
    const answer = await refusedNode(t, ['--dev', '--data', data]);
    assert.equal(answer.code, 1, data);
    assert.match(answer.stderr, /Not a directory/, data);
    assert.doesNotMatch(answer.stderr, /undefined|Success/);
  }
  assert.equal(fs.readFileSync(file, 'utf8'), 'precious');
  const deep = await refusedNode(t, ['--dev', '--data', path.join(path.dirname(file), 'a/b/c')]);
  assert.deepEqual([deep.code, /No such file or directory/.test(deep.stderr)], [1, true], deep.stderr);
});
