// `hanse backup` of a running node, to a folder and to a stream; `hanse restore`, and what it refuses; moving a data directory.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { Sender } from './support/datagrams.js';
import { genesis } from './support/genesis.js';
import { binary, defer, filesBelow, isRoot, run, sleep, startNode, until, workFolder } from './support/node.js';
import { accounts, developmentChain, hashOf, sign, stranger } from './support/wallets.js';

const mebibyte = 1024 * 1024;
const backup = (...args) => run(['backup', ...args]);
const restore = (...args) => run(['restore', ...args]);

// A backup as a stream, into a file.
const backupStream = (data, file) => run(['-c', '"$0" backup --data "$1" --rate 0 - >"$2"', binary, data, file], { command: 'sh' });

function succeeded(answer) {
  assert.equal(answer.code, 0, answer.stderr + answer.stdout);
  return answer;
}

async function audit(data) {
  const answer = succeeded(await run(['verify', '--data', data]));
  assert.match(answer.stdout, /Everything agrees/);
}

// It failed, said why, and left nothing.
function refused(answer, data, why) {
  assert.equal(answer.code, 1, answer.stderr);
  assert.match(answer.stderr, why);
  assert.match(answer.stderr, /nothing was restored/);
  for (const left of [data, `${data}.restoring`]) assert.ok(!fs.existsSync(left), `${left} is there`);
}

// Everything in the list is there, in the block that was told, and nothing has happened twice.
async function check(node, acknowledged) {
  for (const [hash, block] of acknowledged) {
    const receipt = await node.call('eth_getTransactionReceipt', [hash]);
    assert.ok(receipt, `${hash} was acknowledged in block ${block} before the backup, and is not in it`);
    assert.equal(Number(receipt.blockNumber), block);
  }
  const nonce = await node.nonce(accounts[1].address);
  assert.ok(nonce >= acknowledged.size, `${acknowledged.size} were acknowledged, the nonce is ${nonce}`);
  assert.equal(await node.balance(stranger(7)), BigInt(nonce));
}

// The newest block, with its root, is the one that the node has at this number.
async function checkHead(restored, node) {
  const head = await restored.call('eth_getBlockByNumber', ['latest', false]);
  assert.ok(Number(head.number) > 0);
  const other = await until(() => node.call('eth_getBlockByNumber', [head.number, false]), `block ${head.number} is there`);
  assert.deepEqual([head.hash, head.stateRoot], [other.hash, other.stateRoot]);
}

test('a backup of a node under load has everything that was acknowledged before', async (t) => {
  const folder = workFolder(t);
  const at = (name) => path.join(folder, name);
  const args = ['--log-segment', '8', '--snapshot-every-frames', '200', '--snapshot-frames', '0', '--history-rebuild', '0'];
  const node = await startNode(t, { data: at('data'), args });
  const load = spawn(binary,
    ['load', '--address', `127.0.0.1:${node.udpPort}`, '--rpc', node.url, '--count', '1000000', '--rate', '2000',
      '--senders', '8', '--recipients', '500', '--timeout', '1', '--no-check'], { stdio: 'ignore' });
  load.closed = new Promise((resolve) => load.on('close', resolve));
  defer(t, () => load.kill('SIGKILL'));

  // One account pays 1 wei at a time.
  const acknowledged = new Map();
  const sender = new Sender(t, node.udpPort);
  let isPaying = true;
  const paying = (async () => {
    for (let nonce = 0; isPaying; nonce++) {
      const raw = sign(accounts[1], { chainId: developmentChain, nonce, to: stranger(7), value: 1n });
      const receipt = await sender.submit(raw, { timeout: 10000 });
      assert.equal(receipt?.verdict, 'EXECUTED', JSON.stringify(receipt));
      acknowledged.set(hashOf(raw), receipt.block);
    }
  })();
  await until(async () => (await node.stats('/hanse/snapshots')).written >= 3, 'snapshots come and go', 30000);

  const before = { folder: new Map(acknowledged) };
  const told = succeeded(await backup('--name', node.name, '--rate', '0', at('folder')));
  assert.match(told.stderr, /read back, and good; SHA-256 of its manifest: [0-9a-f]{64}/);
  assert.match(told.stderr, /ledger dev: snapshot at block \d+; all its blocks can be asked for/);
  before.stream = new Map(acknowledged);
  succeeded(await backupStream(at('data'), at('stream.tar')));
  assert.ok(before.folder.size > 0 && acknowledged.size > before.stream.size && before.stream.size > before.folder.size);
  isPaying = false;
  await paying;
  assert.equal((await node.stats('/hanse/log')).state, 'open');
  load.kill('SIGKILL');
  await load.closed;

  // tar reads it, the manifest comes last, and its text has the digest that was told.
  const names = spawnSync('tar', ['tf', at('stream.tar')], { encoding: 'utf8' }).stdout.trim().split('\n');
  assert.equal(names.at(-1), 'manifest');
  assert.ok(names.some((name) => /^data\/dev-\d{20}\.snapshot$/.test(name)) && names.includes('data/log-000000000001.segment'));
  const [digest] = /[0-9a-f]{64}/.exec(told.stderr);
  assert.equal(crypto.createHash('sha256').update(fs.readFileSync(at('folder/manifest'))).digest('hex'), digest);

  succeeded(await restore(at('folder'), '--data', at('from folder'), '--digest', digest));
  succeeded(await run(['-c', '"$0" restore - --data "$1" <"$2"', binary, at('from stream'), at('stream.tar')], { command: 'sh' }));
  refused(await restore(at('stream.tar'), '--data', at('none'), '--digest', digest), at('none'), /another backup/);
  for (const kind of ['folder', 'stream']) {
    const data = at(`from ${kind}`);
    const again = await startNode(t, { data, args });
    assert.doesNotMatch(again.stderr, /damaged|cut an/);
    await check(again, before[kind]);
    await checkHead(again, node);
    const receipt = await new Sender(t, again.udpPort).submit(sign(accounts[2], { nonce: 0 }));
    assert.equal(receipt.verdict, 'EXECUTED', 'it goes on');
    assert.deepEqual(await again.stop(), { code: 0, signal: null });
    await audit(data);
  }
  await node.stop('SIGKILL');
});

// A stopped node with two ledgers, one of them with two snapshots: { data, receipts }.
async function smallData(t, folder) {
  const data = path.join(folder, 'data');
  for (const [chainId, name] of [[501, 'first'], [502, 'second']]) {
    const file = path.join(folder, `${name}.json`);
    fs.writeFileSync(file, genesis({ chainId }));
    succeeded(await run(['init', '--data', data, '--genesis', file, '--ledger', name]));
  }
  const receipts = [];
  for (let round = 0; round < 2; round++) {
    const node = await startNode(t, { dev: false, data, args: ['--log-segment', '8'] });
    const sender = new Sender(t, node.udpPort);
    for (let i = 0; i < 10; i++)
      for (const chainId of [501, 502])
        receipts.push(await sender.submit(sign(accounts[0], { chainId, nonce: 10 * round + i, to: stranger(1), value: 1n, data: '0x' + '5a'.repeat(1000), gasLimit: 100000n })));
    for (const receipt of receipts) assert.equal(receipt?.verdict, 'EXECUTED', JSON.stringify(receipt));
    assert.equal((await node.stop()).code, 0);
  }
  return { data, receipts };
}

async function checkSmall(t, data, receipts) {
  const node = await startNode(t, { dev: false, data, args: ['--log-segment', '8'] });
  for (const { hash, block, ledger } of receipts) {
    const where = ['/first', '/second'][ledger];
    const receipt = await until(() => node.call('eth_getTransactionReceipt', [hash], where), `${hash} is there`);
    assert.equal(Number(receipt.blockNumber), block);
    assert.equal(await node.balance(stranger(1), where), 20n);
  }
  assert.equal((await node.stop()).code, 0);
  await audit(data);
}

// What `ls` could tell of all files: nothing of it changes.
const looks = (folder) => fs.readdirSync(folder, { recursive: true }).sort().map((name) => {
  const { size, mtimeNs, ino, mode } = fs.statSync(path.join(folder, name), { bigint: true });
  return [name, size, mtimeNs, ino, mode];
});

test('a changed, cut or incomplete backup is named and refused, and leaves nothing', async (t) => {
  const folder = workFolder(t);
  const at = (name) => path.join(folder, name);
  const { data, receipts } = await smallData(t, folder);
  const [before, bytes] = [looks(data), filesBelow(data)];
  succeeded(await backup('--data', data, '--rate', '0', at('good')));
  succeeded(await backupStream(data, at('good.tar')));
  assert.deepEqual(looks(data), before, 'nothing was written into the data directory');
  assert.deepEqual(filesBelow(data), bytes);

  // A folder: a byte changed, cut, longer, gone, each file.
  const files = filesBelow(at('good'));
  assert.ok(Object.keys(files).length >= 6, Object.keys(files).join());
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(at('good'), name);
    const flipped = Buffer.from(content);
    flipped[crypto.randomInt(content.length)] ^= 1 << crypto.randomInt(8);
    const why = name === 'manifest' ? /manifest/ : new RegExp(path.basename(name));
    for (const changed of [flipped, content.subarray(0, content.length - 1), content.subarray(0, 0), Buffer.concat([content, Buffer.from('x')])]) {
      fs.writeFileSync(file, changed);
      refused(await restore(at('good'), '--data', at('none')), at('none'), why);
    }
    fs.rmSync(file);
    refused(await restore(at('good'), '--data', at('none')), at('none'), why);
    fs.writeFileSync(file, content);
  }

  // A stream: cut anywhere it is refused; a changed byte is found, unless it is where nothing is read.
  const stream = fs.readFileSync(at('good.tar'));
  const tar = at('changed.tar');
  const last = stream.lastIndexOf('checksum ');
  for (const size of [0, 1, 511, 512, 1000, stream.length >> 1, last, last + 20, ...Array.from({ length: 5 }, () => crypto.randomInt(last))]) {
    fs.writeFileSync(tar, stream.subarray(0, size));
    refused(await restore(tar, '--data', at('none')), at('none'), /too early|no manifest|no backup|missing from its end|damaged/);
  }
  for (let i = 0; i < 20; i++) {
    const changed = Buffer.from(stream);
    changed[crypto.randomInt(last)] ^= 1 << crypto.randomInt(8);
    fs.writeFileSync(tar, changed);
    const answer = await restore(tar, '--data', at('none'));
    if (answer.code !== 0) refused(answer, at('none'), /./);
    else {
      assert.deepEqual(filesBelow(at('none'), { except: [/copy$/, /^format$/, /^history/, /^lock$/] }), Object.fromEntries(
        Object.entries(files).filter(([name]) => name !== 'manifest').map(([name, content]) => [name.slice(5), content])));
      fs.rmSync(at('none'), { recursive: true });
    }
  }

  // Names that lead elsewhere, links, and what a backup has not.
  fs.mkdirSync(at('evil/data'), { recursive: true });
  fs.writeFileSync(at('evil/data/x'), 'x');
  fs.symlinkSync('/etc/passwd', at('evil/data/log-000000000001.segment'));
  for (const line of [['--transform', 's,^data/x,../escaped.snapshot,', 'data/x'], ['--transform', 's,^data/x,data/../../escaped.segment,', 'data/x'],
    ['-P', '--transform', `s,^data/x,${at('escaped')},`, 'data/x'], ['data/x'], ['data/log-000000000001.segment']]) {
    const made = spawnSync('tar', ['-C', at('evil'), '-P', '-cf', tar, ...line]);
    assert.equal(made.status, 0, String(made.stderr));
    refused(await restore(tar, '--data', at('none')), at('none'), /a backup has no such file|no plain file/);
  }
  assert.ok(!fs.existsSync(at('escaped')) && !fs.existsSync(at('escaped.segment')));

  // One of the future, and one whose log is another one, though every checksum is right.
  fs.writeFileSync(path.join(at('good'), 'manifest'), 'hanse backup\nversion 2\nsomething else\n' + 'x'.repeat(200));
  refused(await restore(at('good'), '--data', at('none')), at('none'), /newer version/);
  fs.writeFileSync(path.join(at('good'), 'manifest'), files.manifest);

  // A folder that went through tar by hand is as good, and so are both in the end.
  assert.equal(spawnSync('tar', ['-C', at('good'), '-cf', tar, '.']).status, 0);
  for (const [source, target] of [[tar, 'one'], [at('good.tar'), 'two']]) {
    fs.mkdirSync(at(target)); // empty
    succeeded(await restore(source, '--data', at(target) + '/'));
  }
  await checkSmall(t, at('two'), receipts);
  const twice = await restore(at('good.tar'), '--data', at('two'));
  assert.deepEqual([twice.code, /two: there is something in it already/.test(twice.stderr)], [1, true], twice.stderr);

  // A damaged snapshot or frame of the node itself: another way is taken, or it is said.
  const newest = fs.readdirSync(data).filter((name) => /^first-.*snapshot$/.test(name)).sort().at(-1);
  const flip = (name, place) => {
    const content = fs.readFileSync(path.join(data, name));
    content[place ?? content.length >> 1] ^= 1;
    fs.writeFileSync(path.join(data, name), content);
  };
  flip(newest);
  const warned = succeeded(await backup('--data', data, '--rate', '0', at('older')));
  assert.match(warned.stderr, new RegExp(`warning: .*${newest}`));
  assert.ok(!(newest in filesBelow(at('older/data'))));
  succeeded(await restore(at('older'), '--data', at('three')));
  await checkSmall(t, at('three'), receipts);
  for (const place of [4096 + 700, 4096 + 50]) {
    flip('log-000000000001.segment', place);
    const answer = await backup('--data', data, '--rate', '0', at('bad'));
    assert.deepEqual([answer.code, /log-000000000001\.segment: offset \d+: .*/.test(answer.stderr), fs.existsSync(at('bad'))], [1, true, false], answer.stderr);
    flip('log-000000000001.segment', place);
  }
});

test('what cannot be backed up, and where to, is said; a data directory can be moved by cp', async (t) => {
  const folder = workFolder(t);
  const at = (name) => path.join(folder, name);
  const { data, receipts } = await smallData(t, folder);
  for (const line of [[], ['--data', data], [at('b')], ['--data', data, '--name', 'x', at('b')], ['--data', data, '--rate', '-1', at('b')], ['--data', data, '--what', at('b')], ['--data', data, at('b'), at('c')]])
    assert.equal((await backup(...line)).code, 2, line.join(' '));
  for (const line of [[], ['--data', at('r')], [at('b')], [at('b'), '--data', at('r'), '--digest', 'xyz']])
    assert.equal((await restore(...line)).code, 2, line.join(' '));
  for (const command of ['backup', 'restore']) assert.match(succeeded(await run([command, '--help'])).stdout, /usage: hanse/);
  fs.mkdirSync(at('full/inner'), { recursive: true });
  const failures = [
    [['--data', data, at('full')], /full: there is something in it already/],
    [['--data', data, path.join(data, 'inner')], /lies in the data directory/],
    [['--data', data, at('missing/inner')], /No such file|no such folder/],
    [['--data', at('nothing'), at('b')], /no such folder|No such file/],
    [['--data', at('full'), at('b')], /no ledger|No such file/],
    [['--name', 'hanse-nobody-of-that-name', at('b')], /no running node/],
  ];
  for (const [line, why] of failures) {
    const answer = await backup(...line);
    assert.deepEqual([answer.code, why.test(answer.stderr)], [1, true], answer.stderr);
    assert.ok(!fs.existsSync(at('b')));
  }
  fs.mkdirSync(at('empty'));
  refused(await restore(at('empty'), '--data', at('r')), at('r'), /no manifest/);
  refused(await restore(at('gone'), '--data', at('r')), at('r'), /No such file/);
  refused(await restore(data, '--data', at('r')), at('r'), /no manifest/);

  // A directory from before there was a version: its backup says so, and what is restored is up to date. A newer one is refused.
  assert.equal(spawnSync('cp', ['-a', data, at('old')]).status, 0);
  for (const name of ['format', 'format.copy', ...fs.readdirSync(at('old/ledgers')).filter((each) => each.endsWith('.copy')).map((each) => `ledgers/${each}`)]) fs.rmSync(path.join(at('old'), name));
  succeeded(await backup('--data', at('old'), '--rate', '0', at('old backup')));
  assert.match(fs.readFileSync(at('old backup/manifest'), 'utf8'), /^format 0$/m);
  assert.ok(!fs.existsSync(at('old/format')), 'a backup changes nothing');
  succeeded(await restore(at('old backup'), '--data', at('old again')));
  assert.match(fs.readFileSync(at('old again/format'), 'utf8'), /^version 1$/m);
  await checkSmall(t, at('old again'), receipts);
  for (const name of ['format', 'format.copy']) fs.writeFileSync(path.join(at('old'), name), 'hanse data directory\nversion 2\nsomething new\n');
  const newer = await backup('--data', at('old'), at('none'));
  assert.deepEqual([newer.code, /newer version of Hanse: its format is 2, this program knows up to 1; there is no backup/.test(newer.stderr), fs.existsSync(at('none'))], [1, true, false], newer.stderr);

  // A ledger without a transaction.
  succeeded(await run(['init', '--data', at('new'), '--genesis', at('first.json')]));
  succeeded(await backup('--data', at('new'), at('new backup')));
  succeeded(await restore(at('new backup'), '--data', at('new again')));
  await audit(at('new again'));

  assert.equal(spawnSync('cp', ['-a', data, at('moved')]).status, 0);
  fs.rmSync(data, { recursive: true });
  await checkSmall(t, at('moved'), receipts);
});

// A data directory whose log has some mebibytes.
async function largerData(t, folder) {
  const data = path.join(folder, 'data');
  const node = await startNode(t, { data, args: ['--log-segment', '8'] });
  const sender = new Sender(t, node.udpPort);
  for (let nonce = 0; nonce < 60; nonce++) {
    const raw = sign(accounts[0], { nonce, to: stranger(1), value: 1n, data: '0x' + '00'.repeat(60000), gasLimit: 1000000n });
    assert.equal((await sender.submit(raw))?.verdict, 'EXECUTED');
  }
  await node.stop();
  return data;
}

// A command that is at work: { child, text, closed }.
function begin(t, args, { command = binary, stdio = ['ignore', 'ignore', 'pipe'] } = {}) {
  const child = spawn(command, args, { stdio });
  const work = { child, text: '', isClosed: false };
  child.on('close', () => (work.isClosed = true));
  // `script` that was stopped with what it runs does not go on with that.
  work.closed = async () => (await until(() => (child.kill('SIGCONT'), work.isClosed), `${args[0]} ends`, 60000), child.exitCode);
  for (const stream of [command !== binary && child.stdout, child.stderr]) if (stream) stream.on('data', (text) => (work.text += text));
  defer(t, () => child.kill('SIGKILL'));
  return work;
}

test('a log that gave up its beginning is backed up with two ways back', async (t) => {
  const folder = workFolder(t);
  const at = (name) => path.join(folder, name);
  const args = ['--log-segment', '8', '--log-keep', '0', '--snapshot-every-frames', '40', '--snapshot-frames', '0', '--snapshot-rate', '0'];
  const node = await startNode(t, { data: at('data'), args });
  let nonce = 0;
  for (let first = 1; first === 1; nonce++) {
    assert.ok(nonce < 600, 'the log gives up its beginning');
    await node.call('eth_sendRawTransaction', [sign(accounts[1], { chainId: developmentChain, nonce, to: stranger(7), value: 1n, data: '0x' + '00'.repeat(100000), gasLimit: 4100000n })]);
    if (nonce % 10 === 9) first = (await node.stats('/hanse/log')).first_index;
  }
  const told = succeeded(await backup('--name', node.name, '--rate', '0', at('copy')));
  const lost = Number(/blocks up to (\d+) cannot be asked for after a restore: the log begins with frame \d+/.exec(told.stderr)?.[1]);
  const snapshots = fs.readdirSync(at('copy/data')).filter((name) => name.endsWith('.snapshot')).sort();
  assert.ok(lost > 0 && snapshots.length >= 2, told.stderr);
  succeeded(await restore(at('copy'), '--data', at('again')));
  const check = async (data) => {
    const again = await startNode(t, { data, args });
    assert.equal(await again.balance(stranger(7)), BigInt(nonce));
    await checkHead(again, node);
    assert.equal((await again.call('eth_getBlockByNumber', [`0x${(lost + 1).toString(16)}`, false])).transactions.length, 1);
    assert.deepEqual((await again.ask('eth_getBlockByNumber', ['0x1', false])).error, { code: 4444, message: 'pruned history unavailable' });
    assert.equal((await again.stop()).code, 0);
  };
  await check(at('again'));
  await audit(at('again'));

  // The newest one is damaged: the other one is a way back, too.
  succeeded(await restore(at('copy'), '--data', at('damaged'), '--no-history'));
  const file = path.join(at('damaged'), snapshots.at(-1));
  const content = fs.readFileSync(file);
  content[content.length >> 1] ^= 1;
  fs.writeFileSync(file, content);
  await check(at('damaged'));
  await node.stop();
});

test('a node is killed, starts and goes on while its backup is made, and a terminal shows how far it is', async (t) => {
  const folder = workFolder(t);
  const at = (name) => path.join(folder, name);
  const data = await largerData(t, folder);
  const segment = at('slow/data/log-000000000001.segment');
  const args = ['--log-segment', '8'];
  let node = await startNode(t, { data, args });
  const line = `'${binary}' backup --name ${node.name} --rate 1 --no-verify '${at('slow')}'`;
  const work = begin(t, ['-qec', line, '/dev/null'], { command: 'script', stdio: ['ignore', 'pipe', 'pipe'] });
  await until(() => fs.existsSync(segment) && fs.statSync(segment).size > mebibyte / 2, 'it is copying');
  await node.stop('SIGKILL');
  node = await startNode(t, { data, args });
  const receipt = await new Sender(t, node.udpPort).submit(sign(accounts[0], { nonce: 60, to: stranger(1), value: 1n }));
  assert.equal(receipt?.verdict, 'EXECUTED');
  t.diagnostic(`then it was ${fs.existsSync(at('slow/manifest')) ? 'done already' : 'copying still'}`);
  assert.deepEqual([await work.closed(), /written, not read back/.test(work.text)], [0, true], work.text);
  assert.match(work.text, /\rhanse backup: copying: \d+ MiB, \d+\.\d MiB\/s, \d+ s left/);
  succeeded(await restore(at('slow'), '--data', at('again')));
  const again = await startNode(t, { data: at('again'), args });
  assert.equal(await again.nonce(accounts[0].address), 60);
  await checkHead(again, node);
  for (const each of [again, node]) assert.equal((await each.stop()).code, 0);
  await audit(at('again'));
});

test('an interrupt or a full disk leaves no half backup that restore accepts', async (t) => {
  const folder = workFolder(t);
  const at = (name) => path.join(folder, name);
  const data = await largerData(t, folder);

  // Slowly, so that it can be interrupted.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL']) {
    const work = begin(t, ['backup', '--data', data, '--rate', '1', at('cut')]);
    const segment = at('cut/data/log-000000000001.segment');
    await until(() => fs.existsSync(segment) && fs.statSync(segment).size > mebibyte, 'it is copying');
    work.child.kill(signal);
    const code = await work.closed();
    if (signal === 'SIGKILL') {
      refused(await restore(at('cut'), '--data', at('none')), at('none'), /no manifest.*never finished/);
    } else {
      assert.deepEqual([code, /interrupted; there is no backup/.test(work.text), fs.existsSync(at('cut'))], [1, true, false], work.text);
    }
  }
  // While nobody takes what comes, or nothing comes.
  const written = (pid) => Number(/wchar: (\d+)/.exec(fs.readFileSync(`/proc/${pid}/io`, 'utf8'))[1]);
  const stream = begin(t, ['backup', '--data', data, '--rate', '0', '-'], { stdio: ['ignore', 'pipe', 'pipe'] });
  await until(() => written(stream.child.pid) > 50000, 'it is writing');
  stream.child.kill('SIGINT');
  stream.child.on('exit', () => stream.child.stdout.destroy());
  assert.deepEqual([await stream.closed(), /interrupted; there is no backup/.test(stream.text)], [1, true], stream.text);
  const waiting = begin(t, ['restore', '-', '--data', at('none')], { stdio: ['pipe', 'ignore', 'pipe'] });
  await until(() => fs.existsSync(at('none.restoring/ledgers')), 'it is waiting');
  waiting.child.kill('SIGINT');
  refused({ code: await waiting.closed(), stderr: waiting.text }, at('none'), /interrupted/);
  const cut = await run(['-c', '"$0" backup --data "$1" --rate 0 - | head -c 3000000 >"$2"', binary, data, at('cut.tar')], { command: 'sh' });
  assert.match(cut.stderr, /nobody reads it any more; there is no backup/);
  refused(await restore(at('cut.tar'), '--data', at('none')), at('none'), /too early|missing from its end/);

  // Files that may not grow that far are a disk that is full, for who writes them.
  succeeded(await backup('--data', data, '--rate', '0', at('good')));
  const limited = (line) => run(['--fsize=2000000:2000000', binary, ...line], { command: 'prlimit' });
  const short = await limited(['backup', '--data', data, '--rate', '0', at('short')]);
  assert.deepEqual([short.code, /short\/data\/log-000000000001.segment: File too large; there is no backup/.test(short.stderr), fs.existsSync(at('short'))], [1, true, false], short.stderr);
  refused(await limited(['restore', at('good'), '--data', at('none')]), at('none'), /log-000000000001.segment: File too large/);

  const disk = at('disk');
  fs.mkdirSync(disk);
  if (!isRoot || spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'hanse-system', disk]).status !== 0)
    return t.skip('file systems cannot be mounted here');
  defer(t, () => spawnSync('umount', ['-l', disk]));
  for (const target of [disk, path.join(disk, 'inner')]) {
    const full = await backup('--data', data, '--rate', '0', target);
    assert.deepEqual([full.code, /No space left on device; there is no backup/.test(full.stderr)], [1, true], full.stderr);
    assert.deepEqual(fs.readdirSync(disk), [], 'what was begun is gone');
  }
  const whole = await restore(at('good'), '--data', disk);
  assert.deepEqual([whole.code, /disk: it is a mount point, .*name a folder in it; nothing was restored/.test(whole.stderr)], [1, true], whole.stderr);
  refused(await restore(at('good'), '--data', path.join(disk, 'inner')), path.join(disk, 'inner'), /no room for log-000000000001.segment/);
  assert.deepEqual(fs.readdirSync(disk), []);
});
