// Disks that are full, that may not be written, or that are no directories at all.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { getCreateAddress } from 'ethers';

import { Sender } from './support/datagrams.js';
import { genesis } from './support/genesis.js';
import { defer, isRoot, patience, refusedNode, run, sleep, startNode, until, workFolder } from './support/node.js';
import { accounts, bytesOf, hashOf, sign, stranger } from './support/wallets.js';

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
  assert.deepEqual([log.state, log.intake_closed, log.intake], ['full', 1, 'log full']);
  assert.ok(log.room_bytes < 2 * mebibyte, `${log.room_bytes} bytes of room`);
  const files = fs.readdirSync(data).filter((name) => name.endsWith('.segment'));
  assert.equal(log.disk_bytes, files.reduce((sum, name) => sum + fs.statSync(path.join(data, name)).blocks * 512, 0));
  assert.ok(log.free_bytes < 8 * mebibyte, `${log.free_bytes} bytes are free`);
  assert.match(node.stderr, /no space left for the log: taking no transactions until there is/);
  const answer = await node.ask('eth_sendRawTransaction', [sign(accounts[1], { nonce: 0 })]);
  const refusal = 'the node takes no transactions at the moment: no space left for its log; it goes on when there is room';
  assert.deepEqual([answer.error?.code, answer.error?.message], [-32000, refusal]);
  assert.equal((await sender.submit(sign(accounts[2], { nonce: 0, to: stranger(2) }))).verdict, 'STOPPED');
  await expectReads(node, acknowledged.length);
  await sleep(1000);
  assert.equal((await node.stats('/hanse/log')).state, 'full', 'it stays so');

  fs.rmSync(ballast);
  await until(async () => (await node.stats('/hanse/log')).state === 'open', 'there is room again', 15000);
  await until(() => /the log has room again: taking transactions/.test(node.stderr), 'it says so');
  const opened = await node.stats('/hanse/log');
  assert.deepEqual([opened.intake_closed, opened.intake], [0, 'open']);
  await until(async () => (await node.stats('/hanse/log')).room_bytes > 4 * mebibyte, 'it writes ahead again');
  const receipt = await sender.submit(large(accounts[0], nonce));
  assert.equal(receipt.verdict, 'EXECUTED');
  acknowledged.push(receipt);
  assert.equal((await sender.submit(sign(accounts[2], { nonce: 0, to: stranger(2) }))).verdict, 'EXECUTED');
  await until(async () => (await node.nonce(accounts[0].address)) === acknowledged.length, 'readers see it');
  await until(async () => (await node.stats('/hanse/history')).state === 'current', 'the history has caught up');
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
    const began = Date.now();
    const end = await node.stop(signal);
    if (signal === 'SIGTERM') {
      assert.ok(Date.now() - began < 5000 * patience, `stopping took ${Date.now() - began} ms`);
      assert.ok([0, 3].includes(end.code), JSON.stringify(end)); // whether one waited for room is a race
    }
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

// Takes all the room there is.
function fillUp(file) {
  const handle = fs.openSync(file, 'w');
  try {
    for (let size = mebibyte; size >= 4096; )
      try {
        if (fs.writeSync(handle, Buffer.alloc(size)) < size) size /= 4;
      } catch (error) {
        assert.equal(error.code, 'ENOSPC');
        size /= 4;
      }
  } finally {
    fs.closeSync(handle);
  }
}

const count = (text, pattern) => text.match(new RegExp(pattern, 'g'))?.length ?? 0;

// A node whose disk is full before its log is: the block history falls behind. Gives what was acknowledged.
async function fallBehind(t, node, ballast, acknowledged) {
  const sender = new Sender(t, node.udpPort);
  const submit = async (fields) => {
    const receipt = await sender.submit(sign(accounts[0], { nonce: acknowledged.length, to: stranger(1), ...fields }));
    assert.equal(receipt?.verdict, 'EXECUTED', JSON.stringify(receipt));
    acknowledged.push(receipt);
  };
  for (let i = 0; i < 10; i++) await submit({});
  assert.equal((await node.stats('/hanse/history')).state, 'current');
  fillUp(ballast);
  for (let i = 0; i < 20; i++) await submit({ data: '0x' + '00'.repeat(20000), gasLimit: 400000n });
  await until(async () => (await node.stats('/hanse/history')).state === 'behind', 'the history is behind');
  for (let i = 0; i < 5; i++) await submit({});
}

const smallDisk = { size: '64m' };
const smallArgs = ['--log-segment', '16', '--history-size', '1'];

test('a block history that has no room falls behind, says so, and catches up by itself', async (t) => {
  const disk = mount(t, smallDisk);
  if (isSkipped(t, disk)) return;
  const [data, ballast] = [path.join(disk, 'data'), path.join(disk, 'ballast')];
  const node = await startNode(t, { data, args: smallArgs });
  const acknowledged = [];
  await fallBehind(t, node, ballast, acknowledged);
  const history = await node.stats('/hanse/history');
  assert.ok(history.waiting_blocks >= 5 && history.waiting_blocks <= 25, `${history.waiting_blocks} blocks wait`);
  assert.ok(history.waiting_bytes > 0 && history.failed_commits > 0);
  assert.deepEqual([history.trouble, history.limit_bytes], ['no space left on its disk', 1024 * mebibyte]);
  assert.equal((await node.stats('/hanse/log')).intake, 'open', 'the log has room still');
  await sleep(1000); // several attempts
  assert.equal(count(node.stderr, 'the block history cannot be written: no space left on its disk'), 1, node.stderr);

  // State is right, blocks that are there are too, and of the others readers hear that they are missing.
  await expectReads(node, acknowledged.length);
  const seen = Number(await node.call('eth_blockNumber'));
  assert.ok(seen >= 10 && seen < acknowledged.length, `${seen} blocks of ${acknowledged.length}`);
  const missing = /^not found, but the block history is behind and catching up: no space left on its disk: try again later$/;
  for (const [index, { hash, block }] of acknowledged.entries()) {
    assert.equal(block, index + 1);
    const answers = await Promise.all([
      node.ask('eth_getTransactionReceipt', [hash]), node.ask('eth_getTransactionByHash', [hash]),
      node.ask('eth_getBlockByNumber', ['0x' + block.toString(16), false]),
    ]);
    if (block <= seen) {
      assert.equal(Number(answers[0].result?.blockNumber), block);
      assert.equal(answers[2].result?.transactions[0], hash);
    } else {
      for (const { error } of answers) assert.deepEqual([error?.code, missing.test(error?.message)], [-32000, true], JSON.stringify(answers));
    }
  }
  const unknown = await node.ask('eth_getLogs', [{ blockHash: '0x' + '11'.repeat(32) }]);
  assert.match(unknown.error?.message ?? '', missing);
  const syncing = await node.call('eth_syncing');
  assert.deepEqual([Number(syncing.currentBlock), Number(syncing.highestBlock)], [seen, acknowledged.length]);

  fs.rmSync(ballast); // and nothing more is submitted
  await until(async () => (await node.stats('/hanse/history')).state === 'current', 'it catches up');
  const after = await node.stats('/hanse/history');
  assert.deepEqual([after.trouble, after.waiting_blocks, after.waiting_bytes], ['', 0, 0]);
  await until(() => /has caught up/.test(node.stderr), 'it says so');
  assert.equal(count(node.stderr, 'the block history has caught up: \\d+ blocks'), 1, node.stderr);
  assert.equal(count(node.stderr, 'the block history cannot be written'), 1, node.stderr);
  assert.equal(await node.call('eth_syncing'), false);
  for (const { hash, block } of acknowledged)
    assert.equal(Number((await node.call('eth_getTransactionReceipt', [hash]))?.blockNumber), block);
  assert.equal(await node.call('eth_getTransactionReceipt', ['0x' + '11'.repeat(32)]), null);
  await node.stop();
  const audit = await run(['verify', '--data', data]);
  assert.deepEqual([audit.code, /Everything agrees/.test(audit.stdout)], [0, true], audit.stdout + audit.stderr);
});

for (const signal of ['SIGTERM', 'SIGKILL'])
  test(`a node ended by ${signal} while its block history is behind comes back whole`, async (t) => {
    const disk = mount(t, smallDisk);
    if (isSkipped(t, disk)) return;
    const [data, ballast] = [path.join(disk, 'data'), path.join(disk, 'ballast')];
    const node = await startNode(t, { data, args: smallArgs });
    const acknowledged = [];
    await fallBehind(t, node, ballast, acknowledged);
    const began = Date.now();
    const end = await node.stop(signal);
    if (signal === 'SIGTERM') {
      assert.deepEqual(end, { code: 0, signal: null }, node.stderr);
      assert.ok(Date.now() - began < 5000 * patience, `stopping took ${Date.now() - began} ms`);
      assert.match(node.stderr, /left undone: the newest \d+ blocks of the block history \(no space left on its disk\): the next start makes them again/);
    }
    fs.rmSync(ballast);
    const whole = await run(['verify', '--data', data]);
    assert.deepEqual([whole.code, /Everything agrees/.test(whole.stdout)], [0, true], whole.stdout + whole.stderr);
    const again = await startNode(t, { data, args: smallArgs });
    await expectReads(again, acknowledged.length);
    for (const { hash, block } of acknowledged)
      assert.equal(Number((await again.call('eth_getTransactionReceipt', [hash]))?.blockNumber), block);
    assert.equal((await again.stats('/hanse/history')).state, 'current');
    await again.stop();
    const audit = await run(['verify', '--data', data]);
    assert.deepEqual([audit.code, /Everything agrees/.test(audit.stdout)], [0, true], audit.stdout + audit.stderr);
  });

// A contract that logs a mebibyte when it is called: large in the history, small in the log.
const chatterbox = '0x' + '65621000005fa0' + '5f52' + '6006' + '601a' + 'f3';

test('when no more blocks can wait for the history, the intake closes, and opens when there is room', async (t) => {
  const disk = mount(t, { size: '200m' });
  if (isSkipped(t, disk)) return;
  const [data, ballast] = [path.join(disk, 'data'), path.join(disk, 'ballast')];
  const node = await startNode(t, { data, args: smallArgs });
  const sender = new Sender(t, node.udpPort);
  const gas = { gasLimit: 11000000n };
  await sender.submit(sign(accounts[0], { nonce: 0, to: null, value: 0n, data: chatterbox, ...gas }));
  const to = getCreateAddress({ from: accounts[0].address, nonce: 0 });
  await until(async () => (await node.stats('/hanse/log')).room_bytes > 11 * mebibyte, 'the log writes ahead');
  fillUp(ballast);
  let acknowledged = 1;
  for (let last = 'EXECUTED'; last === 'EXECUTED'; acknowledged += last === 'EXECUTED' ? 1 : 0) {
    last = (await sender.submit(sign(accounts[0], { nonce: acknowledged, to, value: 0n, ...gas }), { timeout: 3000 }))?.verdict;
    assert.ok(acknowledged < 500, 'it takes blocks for ever');
  }
  const history = await until(() => node.stats('/hanse/history').then((now) => now.state === 'full' && now), 'it is full');
  assert.ok(history.waiting_bytes >= 64 * mebibyte, `${history.waiting_bytes} bytes wait`);
  const log = await node.stats('/hanse/log');
  assert.deepEqual([log.state, log.intake], ['open', 'history full']);
  const answer = await node.ask('eth_sendRawTransaction', [sign(accounts[1], { nonce: 0 })]);
  assert.match(answer.error?.message, /^the node takes no transactions at the moment: no space left for its block history; /);
  fs.rmSync(ballast);
  await until(async () => (await node.stats('/hanse/log')).intake === 'open', 'it opens again', 30000);
  assert.equal((await sender.submit(sign(accounts[1], { nonce: 0, to: stranger(2) }))).verdict, 'EXECUTED');
  await until(async () => (await node.balance(stranger(2))) === 1n, 'readers see the newest');
  const nonce = await node.nonce(accounts[0].address);
  assert.ok(nonce === acknowledged || nonce === acknowledged + 1, `${nonce} of ${acknowledged}`);
  const blocks = await until(async () => Number(await node.call('eth_blockNumber')) === nonce + 1 && nonce + 1, 'all blocks can be seen');
  for (let number = 1; number <= blocks; number++) // none was left out
    assert.equal(await node.call('eth_getBlockTransactionCountByNumber', ['0x' + number.toString(16)]), '0x1', `block ${number}`);
  await node.stop();
  const audit = await run(['verify', '--data', data], { timeout: 120000 });
  assert.deepEqual([audit.code, /Everything agrees/.test(audit.stdout)], [0, true], audit.stdout + audit.stderr);
});

test('SIGTERM with a full disk stops at once, and says what is left undone', async (t) => {
  const disk = mount(t, { size: '40m' });
  if (isSkipped(t, disk)) return;
  const [data, ballast] = [path.join(disk, 'data'), path.join(disk, 'ballast')];
  fs.writeFileSync(ballast, Buffer.alloc(26 * mebibyte));
  const args = ['--log-segment', '8', '--history-size', '1'];
  const node = await startNode(t, { data, args });
  const sender = new Sender(t, node.udpPort);
  const wave = accounts.slice(1, 9).map((wallet) => [0, 1, 2, 3, 4].map((nonce) => large(wallet, nonce)));
  const acknowledged = accounts.map(() => 0);
  while ((await node.stats('/hanse/log')).room_bytes > 1.7 * mebibyte) {
    assert.equal((await sender.submit(large(accounts[0], acknowledged[0]))).verdict, 'EXECUTED');
    acknowledged[0]++;
  }
  // More at once than there is room for: some are on their way when the log takes no more.
  for (const raw of wave.flat()) sender.send(bytesOf(raw));
  await until(async () => (await node.stats('/hanse/log')).state === 'full', 'the disk is full');
  const left = 65536 - (await node.stats('/hanse/queues')).free_slots;
  assert.ok(left > 0, 'some are on their way');
  for (const [index, raws] of wave.entries())
    acknowledged[index + 1] = raws.filter((raw) => sender.receipts.get(hashOf(raw))?.some(({ verdict }) => verdict === 'EXECUTED')).length;
  const began = Date.now();
  const end = await node.stop('SIGTERM');
  assert.ok(Date.now() - began < 4000 * patience, `stopping took ${Date.now() - began} ms`);
  assert.deepEqual(end, { code: 3, signal: null }, node.stderr);
  assert.match(node.stderr, new RegExp(`left undone: ${left} transactions that were taken and not finished: no space left on the disk; what was acknowledged is in the log`));
  fs.rmSync(ballast);
  const again = await startNode(t, { data, args });
  for (const [index, wallet] of accounts.entries()) assert.equal(await again.nonce(wallet.address), acknowledged[index]);
  assert.deepEqual(await again.stop(), { code: 0, signal: null });
  const audit = await run(['verify', '--data', data]);
  assert.deepEqual([audit.code, /Everything agrees/.test(audit.stdout)], [0, true], audit.stdout + audit.stderr);
});

test('an error of the disk under the log ends the node with a last word, and nothing acknowledged is lost', async (t) => {
  const data = path.join(workFolder(t), 'data');
  const node = await startNode(t, { data });
  const sender = new Sender(t, node.udpPort);
  const acknowledged = [];
  const submit = (timeout) => sender.submit(sign(accounts[0], { nonce: acknowledged.length, to: stranger(1) }), { timeout });
  for (let i = 0; i < 10; i++) acknowledged.push(await submit());
  // From now on writes to files fail: they are larger than the process may make them.
  const limit = spawnSync('prlimit', ['--pid', String(node.pid), '--fsize=4096:4096']);
  if (limit.status !== 0) return t.skip('there is no prlimit');
  const began = Date.now();
  assert.notEqual((await submit(1000))?.verdict, 'EXECUTED');
  await until(() => node.end, 'the node ends');
  assert.ok(Date.now() - began < 8000 * patience, `the end took ${Date.now() - began} ms`);
  assert.deepEqual(node.end, { code: 1, signal: null }, node.stderr);
  assert.match(node.stderr, /writing the log failed: stopping; everything acknowledged is safe \(log-000000000001\.segment: .* at offset \d+: an input or output operation failed\)/);
  assert.match(node.stderr, /left undone: \d+ transactions that were taken and not finished: writing the log failed; /);
  const again = await startNode(t, { data });
  assert.ok([10, 11].includes(await again.nonce(accounts[0].address)), 'the one that was never answered may be there');
  for (const { hash, block } of acknowledged)
    assert.equal(Number((await again.call('eth_getTransactionReceipt', [hash]))?.blockNumber), block);
  await again.stop();
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

test('a history that cannot be read through its memory map ends the node with a word', async (t) => {
  const data = path.join(workFolder(t), 'data');
  const node = await startNode(t, { data });
  const sender = new Sender(t, node.udpPort);
  const receipts = [];
  for (let nonce = 0; nonce < 20; nonce++) receipts.push(await sender.submit(large(accounts[0], nonce)));
  await node.shows(...receipts);
  await node.stop();
  const again = await startNode(t, { data });
  // As a disk that fails there, this makes a read of the map a signal.
  fs.truncateSync(path.join(data, 'history', 'data.mdb'), 8192);
  await again.ask('eth_getBlockByNumber', ['0x2', true]).catch(() => {});
  await until(() => again.end, 'the node ends');
  assert.deepEqual(again.end, { code: 1, signal: null }, again.stderr);
  assert.match(again.stderr, /history\/data\.mdb: a page of it that is mapped into memory cannot be read.*everything acknowledged is in the log/);
  // It is made again from the log.
  const remade = await run(['reindex', '--data', data]);
  assert.equal(remade.code, 0, remade.stderr);
  const last = await startNode(t, { data });
  await expectReads(last, 20);
  assert.equal((await last.call('eth_getBlockByNumber', ['0x2', true])).transactions.length > 0, true);
  assert.equal((await last.stop()).code, 0);
});
