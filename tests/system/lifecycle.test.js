// A node's beginning and end: signals, the lock of its data directory, and what an idle one costs.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';

import { Sender } from './support/datagrams.js';
import { defer, filesBelow, isRoot, Node, patience, refusedNode, run, sleep, startNode, until, workFolder } from './support/node.js';
import { accounts, bytesOf, hashOf, sign, stranger } from './support/wallets.js';

// Sends transfers of 1 wei without pause until told to stop or the node is gone; `acknowledged` has the receipts by
// hash.
function startLoad(t, node, wallets, count = 400) {
  const sender = new Sender(t, node.udpPort);
  const acknowledged = new Map();
  const load = { acknowledged, isRunning: true };
  load.finished = Promise.all(
    wallets.map(async (wallet, index) => {
      for (let nonce = 0; nonce < count && load.isRunning; nonce++) {
        const raw = sign(wallet, { nonce, to: stranger(index) });
        let receipt = null;
        while (receipt === null && load.isRunning && !node.end) receipt = await sender.submit(raw, { timeout: 300, again: 300 });
        if (receipt === null || receipt.verdict === 'STOPPED') break;
        assert.equal(receipt.verdict, 'EXECUTED', JSON.stringify(receipt));
        acknowledged.set(receipt.hash, receipt);
      }
    }),
  );
  return load;
}

async function expectAll(node, acknowledged) {
  for (const [hash, receipt] of acknowledged) {
    const found = await node.call('eth_getTransactionReceipt', [hash]);
    assert.equal(Number(found?.blockNumber), receipt.block, `${hash} was acknowledged in block ${receipt.block}`);
  }
}

for (const signal of ['SIGTERM', 'SIGINT']) {
  test(`${signal} finishes what was taken, and the next start has it all`, async (t) => {
    const data = path.join(workFolder(t), 'data');
    const node = await startNode(t, { data });
    const load = startLoad(t, node, accounts.slice(0, 3));
    await until(() => load.acknowledged.size > 60, 'some are acknowledged');
    assert.deepEqual(await node.stop(signal), { code: 0, signal: null }, node.stderr);
    assert.match(node.stderr, /stopping: finishing what was taken; a second signal ends at once/);
    load.isRunning = false;
    await load.finished;
    assert.ok(fs.readdirSync(data).some((name) => name.endsWith('.snapshot')), 'a snapshot was written');

    const again = await startNode(t, { data });
    assert.doesNotMatch(again.stderr, /replayed/, 'nothing had to be replayed');
    await expectAll(again, load.acknowledged);
    for (const [index, wallet] of accounts.slice(0, 3).entries())
      assert.equal(await again.balance(stranger(index)), BigInt(await again.nonce(wallet.address)));
    // A client that never heard its answer asks again, and hears what became of it.
    const sender = new Sender(t, again.udpPort);
    const repeated = await sender.submit(sign(accounts[0], { nonce: 0, to: stranger(0) }));
    const first = load.acknowledged.get(repeated.hash);
    assert.deepEqual([repeated.verdict, repeated.detail, repeated.block, repeated.ledger], ['EXECUTED', 0, first.block, 0]);
    const next = await again.nonce(accounts[0].address);
    assert.equal((await sender.submit(sign(accounts[0], { nonce: next }))).verdict, 'EXECUTED');
    await again.stop();
    const audit = await run(['verify', '--data', data]);
    assert.deepEqual([audit.code, /Everything agrees/.test(audit.stdout)], [0, true], audit.stdout + audit.stderr);
  });
}

test('a second signal ends at once and loses nothing that was acknowledged', async (t) => {
  const data = path.join(workFolder(t), 'data');
  for (let round = 0; round < 3; round++) {
    const node = await startNode(t, { data: `${data}${round}` });
    const load = startLoad(t, node, accounts.slice(0, 4));
    await until(() => load.acknowledged.size > 40, 'some are acknowledged');
    node.child.kill('SIGTERM');
    await sleep(round * 2);
    node.child.kill('SIGTERM');
    await until(() => node.end, 'the node ends');
    // Whether the second came in time is a race; both ways are right.
    assert.ok([0, 143].includes(node.end.code), JSON.stringify(node.end) + node.stderr);
    load.isRunning = false;
    await load.finished;
    const again = await startNode(t, { data: `${data}${round}` });
    await expectAll(again, load.acknowledged);
    await again.stop();
  }
});

// Calls that keep a core busy for seconds: endless loops up to the bound of gas.
function startHeavyCalls(node, count) {
  const loop = { data: '0x5b600056', gas: '0x2faf080' };
  return Array.from({ length: count }, () => node.ask('eth_call', [loop, 'latest']).catch((error) => error));
}

for (const [first, second] of [['SIGTERM', 'SIGTERM'], ['SIGINT', 'SIGTERM'], ['SIGTERM', 'SIGINT']])
  test(`${second} after ${first} ends at once, also while JSON-RPC's clients still wait for answers`, async (t) => {
    const data = path.join(workFolder(t), 'data');
    const node = await startNode(t, { data });
    const sender = new Sender(t, node.udpPort);
    const receipt = await sender.submit(sign(accounts[0], { nonce: 0 }));
    assert.equal(receipt.verdict, 'EXECUTED');
    const calls = startHeavyCalls(node, 400);
    await until(async () => (await node.stats('/hanse/calls')).waiting > 300, 'the calls wait');
    node.child.kill(first);
    await sleep(300);
    assert.ok(!node.end, 'it waits for its answers');
    const began = Date.now();
    node.child.kill(second);
    await until(() => node.end, 'the node ends');
    // The calls alone would take many seconds; a loaded machine needs more than one for the end itself.
    assert.ok(Date.now() - began < 2500 * patience, `the end took ${Date.now() - began} ms`);
    assert.deepEqual(node.end, { code: second === 'SIGTERM' ? 143 : 130, signal: null }, node.stderr);
    assert.match(node.stderr, /a second signal ends at once/);
    assert.match(node.stderr, /stopping at once; everything acknowledged is in the log/);
    await Promise.all(calls);
    const again = await startNode(t, { data });
    await expectAll(again, new Map([[receipt.hash, receipt]]));
    await again.stop();
  });

test('a signal while it starts ends it at once, and the next start is whole', async (t) => {
  const data = path.join(workFolder(t), 'data');
  const node = await startNode(t, { data });
  const sender = new Sender(t, node.udpPort);
  for (let nonce = 0; nonce < 5; nonce++) await sender.submit(sign(accounts[0], { nonce }));
  await node.stop('SIGKILL');
  let early = 0;
  for (let delay = 0; delay < 200; delay += 20) {
    const starting = new Node(['--dev', '--data', data, '--cores', '2']);
    defer(t, () => starting.child.kill('SIGKILL'));
    await sleep(delay);
    const wasRunning = starting.stdout.includes('Stop with Ctrl-C');
    const end = await starting.stop();
    // Before it had taken hold of its signals it ends as every program does.
    assert.ok([0, 143, null].includes(end.code), JSON.stringify(end) + starting.stderr);
    if (wasRunning) assert.equal(end.code, 0);
    if (/stopping at once, before it ran/.test(starting.stderr)) early++;
  }
  assert.ok(early > 0, 'none was met while it started');
  const again = await startNode(t, { data });
  assert.equal(await again.nonce(accounts[0].address), 5);
  await again.stop();
  const audit = await run(['verify', '--data', data]);
  assert.deepEqual([audit.code, /Everything agrees/.test(audit.stdout)], [0, true], audit.stdout + audit.stderr);
});

test('a temporary data directory goes away with a node that is ended at once, too', async (t) => {
  const parent = workFolder(t);
  const node = await new Node(['--dev', '--cores', '2'], { env: { TMPDIR: parent } }).ready();
  defer(t, () => node.child.kill('SIGKILL'));
  const calls = startHeavyCalls(node, 400);
  await until(async () => (await node.stats('/hanse/calls')).waiting > 300, 'the calls wait');
  node.child.kill('SIGINT');
  await sleep(300);
  assert.equal((await node.stop('SIGINT')).code, 130, node.stderr);
  await Promise.all(calls);
  assert.deepEqual(fs.readdirSync(parent), []);
});

test('while it stops, submissions are told so and readers are answered or refused, never left hanging', async (t) => {
  const node = await startNode(t);
  const hung = []; // calls that are on their way when the signal comes
  for (let nonce = 0; nonce < 50; nonce++)
    hung.push(node.ask('eth_sendRawTransaction', [sign(accounts[0], { nonce })]).catch((error) => error));
  node.child.kill('SIGTERM');
  const answers = await Promise.all(hung);
  assert.equal(answers.length, 50);
  await until(() => node.end, 'the node ends');
  assert.deepEqual(node.end, { code: 0, signal: null }, node.stderr);
});

test('while it stops, whoever submits hears that it is stopping', async (t) => {
  const node = await startNode(t);
  const sender = new Sender(t, node.udpPort);
  const socket = net.connect(node.rpcPort, '127.0.0.1');
  socket.on('error', () => {});
  defer(t, () => socket.destroy());
  await new Promise((resolve) => socket.once('connect', resolve));
  const calls = startHeavyCalls(node, 400);
  await until(async () => (await node.stats('/hanse/calls')).waiting > 300, 'the calls wait');
  node.child.kill('SIGTERM');
  await until(async () => (await node.stats('/hanse/log')).intake === 'stopping', 'stats say so');
  assert.equal((await sender.submit(sign(accounts[0], { nonce: 0 }))).verdict, 'STOPPED');
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_sendRawTransaction', params: [sign(accounts[0], { nonce: 0 })] });
  const answer = new Promise((resolve) => socket.once('data', resolve));
  socket.write(`POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  assert.match(String(await answer), /^HTTP\/1.1 503 [^]*\r\nretry-after: 1\r\n[^]*the node is stopping/);
  await until(() => node.end, 'the node ends');
  assert.deepEqual(node.end, { code: 0, signal: null }, node.stderr);
  await Promise.all(calls);
});

test('a transaction that waits behind a gap keeps nobody from stopping', async (t) => {
  const data = path.join(workFolder(t), 'data');
  const node = await startNode(t, { data });
  const sender = new Sender(t, node.udpPort);
  await sender.send(bytesOf(sign(accounts[0], { nonce: 5 })));
  await node.call('eth_sendRawTransaction', [sign(accounts[1], { nonce: 5 })]);
  const began = Date.now();
  assert.deepEqual(await node.stop(), { code: 0, signal: null }, node.stderr);
  assert.ok(Date.now() - began < 5000 * patience, `stopping took ${Date.now() - began} ms`);
  const again = await startNode(t, { data });
  assert.equal(await again.nonce(accounts[0].address), 0);
  const other = new Sender(t, again.udpPort);
  assert.equal((await other.submit(sign(accounts[0], { nonce: 0 }))).verdict, 'EXECUTED');
});

test('a second node on the same data directory is refused, and the first goes on', async (t) => {
  const data = path.join(workFolder(t), 'data');
  const node = await startNode(t, { data });
  const sender = new Sender(t, node.udpPort);
  await sender.submit(sign(accounts[0], { nonce: 0 }));
  const before = filesBelow(data, { except: [/^history/] });
  const second = await refusedNode(t, ['--dev', '--data', data]);
  assert.equal(second.code, 1);
  assert.match(second.stderr, new RegExp(`in use by process ${node.pid}`));
  const audit = await run(['verify', '--data', data]);
  assert.equal(audit.code, 1);
  assert.match(audit.stderr, new RegExp(`in use by process ${node.pid}`));
  assert.deepEqual(filesBelow(data, { except: [/^history/] }), before, 'nothing was changed');
  assert.equal((await sender.submit(sign(accounts[0], { nonce: 1 }))).verdict, 'EXECUTED');
  // A node that was killed leaves no lock behind.
  await node.stop('SIGKILL');
  const third = await startNode(t, { data });
  assert.equal(await third.nonce(accounts[0].address), 2);
});

test('a temporary data directory goes away with its node', async (t) => {
  const node = await new Node(['--dev', '--cores', '2'], { env: { TMPDIR: workFolder(t) } }).ready();
  defer(t, () => node.child.kill('SIGKILL'));
  assert.match(node.stdout, /\(temporary\)/);
  assert.ok(fs.existsSync(node.data));
  assert.deepEqual(await node.stop(), { code: 0, signal: null });
  assert.ok(!fs.existsSync(node.data));
});

test('nothing of a node stays behind when it ends', { skip: !isRoot && 'the runtime folder is looked for as root only' }, async (t) => {
  const node = await startNode(t);
  const folder = `/var/run/dpdk/${node.name}`;
  assert.ok(fs.existsSync(folder));
  let left = null;
  node.child.prependListener('close', () => (left = fs.existsSync(folder))); // before the test cleans up itself
  await node.stop();
  assert.equal(left, false, folder);
});

// Milliseconds of processor time that a process has used.
function processorTime(pid) {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

test('an idle node uses less than a twentieth of a core', async (t) => {
  const node = await startNode(t, { args: ['--cores', '4', '--shards', '2'] });
  const sender = new Sender(t, node.udpPort);
  await sender.submit(sign(accounts[0], { nonce: 0 }));
  await sleep(300);
  const before = processorTime(node.pid);
  await sleep(3000);
  const used = processorTime(node.pid) - before;
  assert.ok(used < 150, `${used} ms of processor time in 3 s`);
  assert.equal((await sender.submit(sign(accounts[0], { nonce: 1 }))).verdict, 'EXECUTED');
});
