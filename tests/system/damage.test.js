// Damaged files: a log cut or changed at its end and in its middle, snapshots, and what `hanse verify` says.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { generator } from './support/crashes.js';
import { Sender } from './support/datagrams.js';
import { genesis } from './support/genesis.js';
import { filesBelow, Node, refusedNode, run, startNode, until, workFolder } from './support/node.js';
import { accounts, sign, stranger } from './support/wallets.js';

const segment = 'log-000000000001.segment';
const snapshotName = /^dev-\d+\.snapshot$/;
const blocks = 12;

// A data directory with a dozen blocks of one transfer each; `stop` decides whether it has snapshots.
async function fill(t, data, { stop = 'SIGKILL', from = 0, count = blocks } = {}) {
  const node = await startNode(t, { data, args: ['--log-segment', '8'] });
  const sender = new Sender(t, node.udpPort);
  for (let nonce = from; nonce < from + count; nonce++) {
    const receipt = await sender.submit(sign(accounts[0], { nonce, to: stranger(1), value: 10n }));
    assert.deepEqual([receipt.verdict, receipt.block], ['EXECUTED', nonce + 1]);
  }
  await node.stop(stop);
}

// Where each frame of a segment begins, and how long its payload is.
function frames(bytes) {
  const found = [];
  const alignment = bytes.readUInt32LE(12);
  for (let at = alignment; at < bytes.length && bytes.toString('latin1', at, at + 8) === 'HNFRAME1'; ) {
    const size = bytes.readUInt32LE(at + 60);
    found.push({ at, size, payload: bytes.readUInt32LE(at + 56), index: Number(bytes.readBigUInt64LE(at + 40)) });
    at += size;
  }
  return found;
}

function change(data, edit, name = segment) {
  const file = path.join(data, name);
  const bytes = fs.readFileSync(file);
  const changed = edit(bytes, frames(bytes)) ?? bytes;
  fs.writeFileSync(file, changed);
}

async function expectWhole(t, data, count = blocks, args = []) {
  const node = await startNode(t, { data, args: ['--log-segment', '8', ...args] });
  assert.equal(await node.nonce(accounts[0].address), count);
  assert.equal(await node.balance(stranger(1)), 10n * BigInt(count));
  assert.equal(Number(await node.call('eth_blockNumber')), count);
  return node;
}

const verify = (data) => run(['verify', '--data', data]);

async function expectAgreement(data) {
  const audit = await verify(data);
  assert.deepEqual([audit.code, /Everything agrees/.test(audit.stdout)], [0, true], audit.stdout + audit.stderr);
}

test('whatever stands behind the last frame is cut, and everything acknowledged is there', async (t) => {
  const data = path.join(workFolder(t), 'data');
  await fill(t, data);
  await expectAgreement(data);
  const random = (size) => crypto.randomBytes(size);
  const end = (found) => found.at(-1).at + found.at(-1).size;
  const damages = {
    'garbage': (bytes, found) => void random(5000).copy(bytes, end(found)),
    'an old frame': (bytes, found) => void bytes.copy(bytes, end(found), found[2].at, found[2].at + found[2].size),
    'the end of the file': (bytes, found) => bytes.subarray(0, end(found)),
    'the end of the file, inside a block': (bytes, found) => bytes.subarray(0, end(found) + 100),
  };
  for (const [what, damage] of Object.entries(damages)) {
    change(data, damage);
    const node = await expectWhole(t, data);
    await node.stop('SIGKILL');
    const audit = await verify(data);
    assert.equal(audit.code, 0, `${what}: ${audit.stdout}${audit.stderr}`);
  }
  await fill(t, data, { from: blocks, count: 3 });
  await expectAgreement(data);
  await (await expectWhole(t, data, blocks + 3)).stop();
});

test('a last frame that was never completed is cut', async (t) => {
  const data = path.join(workFolder(t), 'data');
  await fill(t, data, { count: blocks - 1 });
  const large = '0x' + crypto.randomBytes(3000).toString('hex');
  const last = sign(accounts[0], { nonce: blocks - 1, to: stranger(1), value: 10n, data: large, gasLimit: 300000n });
  const submit = async () => {
    const node = await expectWhole(t, data, blocks - 1);
    const receipt = await new Sender(t, node.udpPort).submit(last);
    assert.deepEqual([receipt.verdict, receipt.block], ['EXECUTED', blocks]);
    await node.stop('SIGKILL');
  };
  await submit();
  // As a crash of the machine leaves it: some sectors never reached the disk, and nobody had heard of the frame then;
  // neither had the block history.
  for (const [from, to] of [[512, 1024], [1024, 4096], [0, 512], [0, 4096]]) {
    fs.rmSync(path.join(data, 'history'), { recursive: true });
    change(data, (bytes, found) => void bytes.fill(0, found[blocks - 1].at + from, found[blocks - 1].at + to));
    assert.equal((await verify(data)).code, 0, 'an unacknowledged tail is no fault');
    await submit();
  }
  await (await expectWhole(t, data)).stop();
  await expectAgreement(data);
});

test('an end of the log that is gone is told by the block history', async (t) => {
  const data = path.join(workFolder(t), 'data');
  await fill(t, data);
  const whole = fs.readFileSync(path.join(data, segment));
  const last = frames(whole).at(-1);
  const rubbish = crypto.randomBytes(512);
  for (const [what, size] of [['rubbish', 512], ['zeroes', 0]]) {
    change(data, () => {
      const bytes = Buffer.from(whole);
      bytes.fill(0, last.at, last.at + last.size);
      rubbish.copy(bytes, last.at, 0, size);
      return bytes;
    });
    const audit = await verify(data);
    const said = new RegExp(`${segment}: frames are missing .*frame ${blocks - 1}\\b.*block ${blocks - 1}\\b.*block ${blocks}\\b`);
    assert.deepEqual([audit.code, said.test(audit.stderr)], [1, true], `${what}: ${audit.stdout}${audit.stderr}`);
  }
  const node = await expectWhole(t, data, blocks - 1);
  assert.match(node.stderr, new RegExp(`${segment}: frames are missing at the end`));
  assert.equal((await node.stats('/hanse/log')).has_lost_end, 1);
  await node.stop();
  await expectAgreement(data);
});

test('a changed byte in the middle keeps the node from starting, and nothing is touched', async (t) => {
  const folder = workFolder(t);
  const data = path.join(folder, 'data');
  await fill(t, data);
  const whole = fs.readFileSync(path.join(data, segment));
  const found = frames(whole);
  assert.equal(found.length, blocks);
  const places = {
    'the payload of the fifth frame': [found[4].at + 256 + 40, found[4]],
    'the header of the fifth frame': [found[4].at + 100, found[4]],
    'the index of the fifth frame': [found[4].at + 40, found[4]],
    'the magic of the first frame': [found[0].at, found[0]],
    'the payload of the last frame but one': [found.at(-2).at + 256, found.at(-2)],
  };
  for (const [what, [offset, frame]] of Object.entries(places)) {
    change(data, () => {
      const bytes = Buffer.from(whole);
      bytes[offset] ^= 0x10;
      return bytes;
    });
    const before = filesBelow(data, { except: [/^history/, /^lock$/] });
    const answer = await refusedNode(t, ['--data', data]);
    assert.equal(answer.code, 1, what);
    const named = new RegExp(`${segment}: offset ${frame.at}: frame ${frame.index}: `);
    assert.match(answer.stderr, named, what);
    const audit = await verify(data);
    assert.equal(audit.code, 1, `${what}: ${audit.stdout}`);
    assert.match(audit.stderr, named, what);
    assert.deepEqual(filesBelow(data, { except: [/^history/, /^lock$/] }), before, `${what}: something was changed`);
  }
  for (const [what, edit, message] of [
    ['the header of the segment', (bytes) => void (bytes[20] ^= 1), /offset 0: the segment header is damaged/],
    ['frames taken out of the middle', (bytes) => void bytes.fill(0, found[3].at, found[5].at), /offset \d+: frame 4: .*was written after it was durable/],
  ]) {
    const bytes = Buffer.from(whole);
    edit(bytes);
    fs.writeFileSync(path.join(data, segment), bytes);
    const answer = await refusedNode(t, ['--data', data]);
    assert.deepEqual([answer.code, message.test(answer.stderr)], [1, true], `${what}: ${answer.stderr}`);
    assert.equal((await verify(data)).code, 1, what);
  }
  // Put right again, everything is there.
  fs.writeFileSync(path.join(data, segment), whole);
  await (await expectWhole(t, data)).stop();
  await expectAgreement(data);
});

test('a log of another data directory is refused', async (t) => {
  const folder = workFolder(t);
  const [one, two] = ['one', 'two'].map((name) => path.join(folder, name));
  await fill(t, one);
  fs.mkdirSync(path.join(two, 'ledgers'), { recursive: true });
  fs.copyFileSync(path.join(one, segment), path.join(two, segment));
  const answer = await refusedNode(t, ['--data', two]);
  assert.equal(answer.code, 1);
  assert.match(answer.stderr, /there is no ledger/);
});

test('a missing segment is told', async (t) => {
  const data = path.join(workFolder(t), 'data');
  await fill(t, data);
  fs.copyFileSync(path.join(data, segment), path.join(data, 'log-000000000003.segment'));
  const answer = await refusedNode(t, ['--data', data]);
  assert.deepEqual([answer.code, /one is missing/.test(answer.stderr)], [1, true], answer.stderr);
});

test('a damaged snapshot is passed over, with a warning', async (t) => {
  const data = path.join(workFolder(t), 'data');
  await fill(t, data, { stop: 'SIGTERM' });
  await fill(t, data, { stop: 'SIGTERM', from: blocks, count: 2 });
  const snapshots = fs.readdirSync(data).filter((name) => snapshotName.test(name)).sort();
  assert.equal(snapshots.length, 2, `${snapshots}`);
  const newest = snapshots.sort((a, b) => Number(/\d+/.exec(a)[0]) - Number(/\d+/.exec(b)[0])).at(-1);
  const good = fs.readFileSync(path.join(data, newest));
  const damages = {
    'a changed byte': (bytes) => void (bytes[200] ^= 1),
    'a changed byte near the end': (bytes) => void (bytes[bytes.length - 60] ^= 1),
    'cut': (bytes) => bytes.subarray(0, bytes.length / 2),
    'empty': () => Buffer.alloc(0),
  };
  for (const [what, damage] of Object.entries(damages)) {
    fs.writeFileSync(path.join(data, newest), good);
    change(data, (bytes) => damage(bytes), newest);
    const node = await expectWhole(t, data, blocks + 2);
    assert.match(node.stderr, new RegExp(`${newest}: `), what);
    assert.match(node.stderr, /replayed 2 frames/, `${what}: the older snapshot is used`);
    await node.stop('SIGKILL');
    const audit = await verify(data);
    assert.equal(audit.code, 1, what);
    assert.match(audit.stderr, new RegExp(`${newest}: `), what);
  }
  // None of them is good: the log has everything.
  for (const name of snapshots) fs.writeFileSync(path.join(data, name), 'no snapshot');
  const node = await expectWhole(t, data, blocks + 2);
  assert.match(node.stderr, new RegExp(`replayed ${blocks + 2} frames`));
  for (const name of snapshots) fs.rmSync(path.join(data, name));
  await node.stop();
  await expectAgreement(data);
});

test('a snapshot of another log is passed over, and both files are named', async (t) => {
  const folder = workFolder(t);
  const [here, there] = ['here', 'there'].map((name) => path.join(folder, name));
  await fill(t, here, { stop: 'SIGTERM' });
  fs.cpSync(here, there, { recursive: true });
  const pay = async (data, value, stop) => {
    const node = await startNode(t, { data, args: ['--log-segment', '8'] });
    const sender = new Sender(t, node.udpPort);
    for (let nonce = blocks; nonce < blocks + 2; nonce++)
      assert.equal((await sender.submit(sign(accounts[0], { nonce, to: stranger(1), value }))).verdict, 'EXECUTED');
    // A start does not look at a snapshot that the block history does not reach.
    await until(async () => Number(await node.call('eth_blockNumber')) === blocks + 2, 'the block history has them');
    await node.stop(stop);
  };
  await pay(there, 7n, 'SIGTERM');
  await pay(here, 10n, 'SIGKILL');
  const [name] = fs.readdirSync(there).filter((each) => snapshotName.test(each)).sort().slice(-1);
  fs.copyFileSync(path.join(there, name), path.join(here, name));
  const node = await expectWhole(t, here, blocks + 2);
  assert.match(node.stderr, new RegExp(`snapshot ${name} does not belong to this log: .* in ${segment}`));
  assert.match(node.stderr, /replayed 2 frames/, 'the older snapshot is used');
  await node.stop();
});

test('a block history that is gone or damaged is made again from the log', async (t) => {
  const data = path.join(workFolder(t), 'data');
  await fill(t, data, { stop: 'SIGTERM' });
  fs.rmSync(path.join(data, 'history'), { recursive: true });
  const node = await expectWhole(t, data);
  assert.match(node.stderr, /replaying the whole log/);
  assert.ok(await node.call('eth_getBlockByNumber', ['0x5', true]));
  await node.stop();
  await expectAgreement(data);
  // A node that had not been closed when the machine went down.
  fs.writeFileSync(path.join(data, 'history', 'marker'), 'hanse history 2\nanother-boot\nopen\n');
  const again = await expectWhole(t, data);
  assert.match(again.stderr, /could not be trusted after a crash of the machine/);
  assert.equal((await again.call('eth_getBlockByNumber', ['0x5', true])).transactions.length, 1);
  await again.stop();
  await expectAgreement(data);
});

test('`hanse verify` says what it cannot look at', async (t) => {
  const folder = workFolder(t);
  for (const [data, what] of [[path.join(folder, 'nothing'), /nothing: there is no ledger here|No such file/], [folder, /there is no ledger here/]]) {
    const audit = await verify(data);
    assert.equal(audit.code, 1, audit.stdout);
    assert.match(audit.stderr, what);
  }
  assert.deepEqual(fs.readdirSync(folder), [], 'nothing was made');
});

// --- one byte anywhere

const flips = Number(process.env.HANSE_FLIPS ?? 14);
const seed = Number(process.env.HANSE_SEED ?? Date.now() % 1000000);

// A stopped node with two segments' worth of everything: log, snapshots, history, ledgers from a genesis file.
async function fillAll(t, folder) {
  const data = path.join(folder, 'data');
  const file = path.join(folder, 'genesis.json');
  fs.writeFileSync(file, genesis({ chainId: 31337 }));
  const args = ['--data', data, '--ledger', `one=${file}`, '--log-segment', '8'];
  let nonce = 0;
  for (let life = 0; life < 2; life++) {
    const node = await startNode(t, { dev: false, args });
    const sender = new Sender(t, node.udpPort);
    for (let i = 0; i < blocks; i++, nonce++) {
      const receipt = await sender.submit(sign(accounts[0], { nonce, to: stranger(1), value: 10n }));
      assert.equal(receipt?.verdict, 'EXECUTED');
    }
    assert.deepEqual(await node.stop(), { code: 0, signal: null }, node.stderr);
  }
  return { data, args, nonce };
}

// Where a byte is changed: everywhere in small files, in the log mostly where something was written.
function chooseOffset(random, name, size) {
  return name.endsWith('.segment') && random(0, 4) !== 0 ? random(0, Math.min(size, 128 * 1024)) : random(0, size);
}

test(`a byte changed anywhere is named, and everything is there again if it exists twice (HANSE_SEED=${seed})`, async (t) => {
  const folder = workFolder(t);
  const { data, args, nonce } = await fillAll(t, folder);
  await expectAgreement(data);
  const whole = path.join(folder, 'whole');
  fs.cpSync(data, whole, { recursive: true });
  const files = Object.entries(filesBelow(data)).filter(([, bytes]) => bytes.length !== 0).map(([name]) => name);
  for (const kind of [/segment$/, /snapshot$/, /history.data\.mdb$/, /history.marker$/, /history.checksums$/, /^format$/, /\.json$/, /\.copy$/])
    assert.ok(files.some((name) => kind.test(name)), `${kind} among ${files}`);
  const random = generator(seed);
  const counts = {};
  for (let flip = 0; flip < flips; flip++) {
    const name = files[flip % files.length];
    const file = path.join(data, name);
    const handle = fs.openSync(file, 'r+');
    const { size } = fs.fstatSync(handle);
    const offset = chooseOffset(random, name, size);
    const byte = Buffer.alloc(1);
    fs.readSync(handle, byte, 0, 1, offset);
    byte[0] ^= random(1, 256);
    fs.writeSync(handle, byte, 0, 1, offset);
    fs.closeSync(handle);
    const what = `${name}: byte ${offset}`;
    const named = name.replace(/^(history|ledgers)\//, '');
    const audit = await verify(data);
    assert.ok(audit.stderr.includes(named), `${what}: not named: ${audit.code} ${audit.stdout}${audit.stderr}`);
    assert.ok(audit.code === 1 || /note: .*: not zero/.test(audit.stderr), `${what}: ${audit.code} ${audit.stdout}${audit.stderr}`);
    counts[named] = (counts[named] ?? 0) + 1;
    if (name.endsWith('.segment')) {
      // The log exists once: the node does not start unless nothing that was acknowledged is concerned.
      const node = new Node(args);
      await node.ready().catch(() => {});
      if (!node.end) {
        assert.equal(await node.nonce(accounts[0].address), nonce, what);
        await node.stop();
      } else {
        assert.match(node.stderr, /log-\d+\.segment: /, what);
      }
    } else {
      const node = await startNode(t, { dev: false, args });
      assert.ok(node.stderr.includes(named) || /snapshot$|\.copy$/.test(name), `${what}: ${node.stderr}`);
      assert.equal(await node.nonce(accounts[0].address), nonce, what);
      assert.equal(await node.balance(stranger(1)), 10n * BigInt(nonce), what);
      assert.equal((await node.call('eth_getBlockByNumber', ['0x5', true])).transactions.length, 1, what);
      await node.stop();
      if (!name.endsWith('.snapshot')) await expectAgreement(data);
    }
    fs.rmSync(data, { recursive: true });
    fs.cpSync(whole, data, { recursive: true });
  }
  t.diagnostic(JSON.stringify(counts));
});

test('a data directory from before there was a version is brought up to date; a newer one is refused', async (t) => {
  const folder = workFolder(t);
  const { data, args, nonce } = await fillAll(t, folder);
  const format = path.join(data, 'format');
  const text = fs.readFileSync(format, 'utf8');
  assert.match(text, /^hanse data directory\nversion 1\nledger 00000-one\.json [0-9a-f]{32}\nchecksum [0-9a-f]{32}\n$/);
  for (const name of ['format', 'format.copy', 'ledgers/00000-one.json.copy']) fs.rmSync(path.join(data, name));
  await expectAgreement(data); // an audit needs no upgrade
  assert.ok(!fs.existsSync(format));
  const node = await startNode(t, { dev: false, args });
  assert.equal(await node.nonce(accounts[0].address), nonce);
  await node.stop();
  assert.equal(fs.readFileSync(format, 'utf8'), text);
  assert.deepEqual(fs.readFileSync(path.join(data, 'ledgers/00000-one.json.copy')), fs.readFileSync(path.join(data, 'ledgers/00000-one.json')));
  // An upgrade that was killed between two of its files is completed by the next start.
  const upgraded = ['ledgers/00000-one.json.copy', 'format', 'format.copy'];
  for (let done = 0; done < upgraded.length; done++) {
    for (const name of upgraded.slice(done)) fs.rmSync(path.join(data, name));
    const next = await startNode(t, { dev: false, args });
    assert.equal(await next.nonce(accounts[0].address), nonce);
    await next.stop();
    assert.deepEqual(upgraded.slice(1).map((name) => fs.readFileSync(path.join(data, name), 'utf8')), [text, text], `${done} files were done`);
    assert.ok(fs.existsSync(path.join(data, upgraded[0])));
  }
  for (const name of ['format', 'format.copy']) fs.writeFileSync(path.join(data, name), 'hanse data directory\nversion 2\nsomething new\n');
  const answer = await refusedNode(t, args);
  assert.deepEqual([answer.code, /written by a newer version of Hanse: its format is 2, this program knows up to 1/.test(answer.stderr)], [1, true], answer.stderr);
  const audit = await verify(data);
  assert.deepEqual([audit.code, /newer version/.test(audit.stderr)], [1, true], audit.stderr);
});

test('an audit that was interrupted goes on', async (t) => {
  const folder = workFolder(t);
  const { data } = await fillAll(t, folder);
  const whole = await verify(data);
  assert.equal(whole.code, 0);
  const first = await run(['verify', '--data', data, '--frames', '7']);
  assert.deepEqual([first.code, /Not finished/.test(first.stdout)], [3, true], first.stdout + first.stderr);
  const second = await run(['verify', '--data', data, '--resume', '--frames', '5']);
  assert.equal(second.code, 3, second.stdout + second.stderr);
  assert.match(second.stderr, /going on behind frame 7/);
  const third = await run(['verify', '--data', data, '--resume']);
  assert.deepEqual([third.code, third.stdout], [0, whole.stdout], third.stderr);
  assert.match(third.stderr, /going on behind frame 12/);
  assert.ok(!fs.existsSync(`${data}.verify`), 'nothing is left of it');
  const none = await run(['verify', '--data', data, '--resume']);
  assert.deepEqual([none.code, /data\.verify: cannot be opened/.test(none.stderr)], [1, true], none.stderr);
});
