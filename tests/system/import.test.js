// Blocks from files and into files: `hanse import` and `hanse export`.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { hashOfBlock, headerOf, makeFirstBlock, numberOf, split, withField } from './support/blocks.js';
import { Sender } from './support/datagrams.js';
import { genesis } from './support/genesis.js';
import { binary, defer, filesBelow, run, startNode, until, workFolder } from './support/node.js';
import { vectors } from './support/vectors.js';
import { accounts, gwei, sign, stranger } from './support/wallets.js';

const chainId = 901;
const segment = 'log-000000000001.segment';
const untouched = { except: [/^history/, /^lock$/] };

// A data directory with one ledger: { data, hash of the genesis block }.
async function init(folder, name, genesisFile, args = []) {
  const data = path.join(folder, name);
  const made = await run(['init', '--data', data, '--genesis', genesisFile, ...args]);
  assert.equal(made.code, 0, made.stderr);
  return { data, hash: /genesis block (0x[0-9a-f]+)/.exec(made.stdout)[1] };
}

const importFile = (data, ...files) => run(['import', '--data', data, ...files], { timeout: 120000 });

async function imported(data, ...files) {
  const made = await importFile(data, ...files);
  assert.equal(made.code, 0, made.stderr);
  const [, blocks] = /Imported (\d+) blocks/.exec(made.stdout);
  const [, number, head] = /newest block is (\d+), (0x[0-9a-f]+)/.exec(made.stdout);
  const known = Number(/; (\d+) were there already/.exec(made.stdout)?.[1] ?? 0);
  return { blocks: Number(blocks), known, number: Number(number), head };
}

async function exported(data, file, ...args) {
  const made = await run(['export', '--data', data, ...args, file]);
  assert.equal(made.code, 0, made.stderr);
  assert.deepEqual(fs.readdirSync(path.dirname(file)).filter((name) => name.endsWith('.partial')), []);
  return fs.readFileSync(file);
}

async function expectAgreement(data) {
  const audit = await run(['verify', '--data', data], { timeout: 120000 });
  assert.deepEqual([audit.code, /Everything agrees/.test(audit.stdout)], [0, true], audit.stdout + audit.stderr);
  return audit.stdout;
}

async function headOf(node, where) {
  const block = await node.call('eth_getBlockByNumber', ['latest', false], where);
  return { number: Number(block.number), hash: block.hash };
}

// A ledger with blocks that Hanse made itself, and the file of them: `count` blocks of one transfer each.
async function ownChain(t, { count = 12, config, args = [] } = {}) {
  const folder = workFolder(t);
  const genesisFile = path.join(folder, 'genesis.json');
  fs.writeFileSync(genesisFile, genesis({ chainId, config }));
  const { data, hash } = await init(folder, 'own', genesisFile, args);
  const node = await startNode(t, { dev: false, data });
  const sender = new Sender(t, node.udpPort);
  const receipts = [];
  for (let nonce = 0; nonce < count; nonce++)
    receipts.push(await sender.submit(sign(accounts[0], { chainId, nonce, to: stranger(1), value: 10n })));
  await node.shows(...receipts);
  const head = await headOf(node);
  assert.deepEqual(await node.stop(), { code: 0, signal: null });
  const file = path.join(folder, 'own.rlp');
  return { folder, genesisFile, data, genesisHash: hash, head, file, bytes: await exported(data, file) };
}

test("rpc-compat's chain is imported to its head, and exported to the same bytes", async (t) => {
  const set = await vectors(t, 'rpc-compat');
  if (set === null) return;
  const folder = workFolder(t);
  const chain = path.join(set, 'chain.rlp');
  const wanted = JSON.parse(fs.readFileSync(path.join(set, 'headfcu.json'))).params[0].headBlockHash;
  const bytes = fs.readFileSync(chain);
  const blocks = split(bytes);
  for (const [name, args] of [['fast', []], ['strict', ['--strict']]]) {
    const { data } = await init(folder, name, path.join(set, 'genesis.json'), args);
    assert.deepEqual(await imported(data, chain), { blocks: blocks.length, known: 0, number: blocks.length, head: wanted });
    assert.deepEqual(await imported(data, chain), { blocks: 0, known: blocks.length, number: blocks.length, head: wanted });
    assert.match(await expectAgreement(data), /[1-9]\d* snapshots compared/);
    assert.ok((await exported(data, path.join(folder, `${name}.rlp`))).equals(bytes));
  }
  // In pieces, each by a process of its own that begins with the snapshot of the one before: uncles, too, are found.
  assert.ok(blocks.filter((block) => headerOf(block)[1] !== headerOf(blocks.at(-1))[1]).length > 10, 'blocks have uncles');
  const { data } = await init(folder, 'pieces', path.join(set, 'genesis.json'), ['--strict']);
  for (let first = 0; first < blocks.length; first += 5) {
    const piece = path.join(folder, 'piece.rlp');
    fs.writeFileSync(piece, Buffer.concat(blocks.slice(Math.max(first - 2, 0), first + 5)));
    const { number } = await imported(data, piece);
    assert.equal(number, Math.min(first + 5, blocks.length));
  }
  await expectAgreement(data);
  assert.ok((await exported(data, path.join(folder, 'pieces.rlp'))).equals(bytes));
  // Without snapshots and history everything comes from the log.
  fs.rmSync(path.join(data, 'history'), { recursive: true });
  for (const name of fs.readdirSync(data)) if (name.endsWith('.snapshot')) fs.rmSync(path.join(data, name));
  assert.ok((await exported(data, path.join(folder, 'again.rlp'))).equals(bytes));
  await expectAgreement(data);
});

test('a node serves what was imported, and goes on from there', async (t) => {
  const set = await vectors(t, 'rpc-compat');
  if (set === null) return;
  const folder = workFolder(t);
  const { data } = await init(folder, 'data', path.join(set, 'genesis.json'));
  const { number, head } = await imported(data, path.join(set, 'chain.rlp'));
  const node = await startNode(t, { dev: false, data });
  assert.deepEqual(await headOf(node), { number, hash: head });
  let compared = 0;
  for (const method of fs.readdirSync(set).filter((name) => /^eth_(getBlock|getTransaction|getLogs|getBalance|getCode|getStorageAt|blockNumber)/.test(name))) {
    for (const file of fs.readdirSync(path.join(set, method))) {
      const text = fs.readFileSync(path.join(set, method, file), 'utf8');
      const lines = text.split('\n').filter((line) => /^(>>|<<) /.test(line)).map((line) => line.slice(3));
      // State is there at the head alone: the node has not seen the blocks before it.
      const isState = /get(Balance|Code|StorageAt|TransactionCount)$/.test(method);
      if (text.includes('speconly:') || (isState && !lines[0].includes('"latest"'))) continue;
      for (let i = 0; i + 1 < lines.length; i += 2) {
        assert.deepEqual(JSON.parse((await node.post(lines[i])).text), JSON.parse(lines[i + 1]), `${method}/${file}`);
        compared++;
      }
    }
  }
  assert.ok(compared > 40, `only ${compared} exchanges`);
  const uncled = split(fs.readFileSync(path.join(set, 'chain.rlp'))).find((block) => headerOf(block)[1] !== headerOf(block)[0] && block.length > 1100 && numberOf(block) < 36);
  const shown = await node.call('eth_getBlockByNumber', ['0x' + numberOf(uncled).toString(16), false]);
  assert.equal(Number(shown.size), uncled.length);
  assert.equal(Number(await node.call('eth_getUncleCountByBlockHash', [shown.hash])), shown.uncles.length);

  const raws = fs.readdirSync(path.join(set, 'eth_sendRawTransaction'))
    .map((name) => /"params":\["(0x[0-9a-f]+)"\]/.exec(fs.readFileSync(path.join(set, 'eth_sendRawTransaction', name), 'utf8'))?.[1])
    .filter((raw) => raw);
  for (const raw of raws) await node.ask('eth_sendRawTransaction', [raw]);
  const after = await headOf(node);
  assert.ok(after.number > number, 'a transaction has made a block');
  assert.equal((await node.call('eth_getBlockByNumber', ['0x' + (number + 1).toString(16), false])).parentHash, head);
  await node.stop('SIGKILL');
  const again = await startNode(t, { dev: false, data });
  assert.deepEqual(await headOf(again), after);
  assert.deepEqual(await again.stop(), { code: 0, signal: null });
  await expectAgreement(data);
  // All of it, imported and own, goes into another directory.
  const file = path.join(folder, 'all.rlp');
  const bytes = await exported(data, file);
  assert.ok(bytes.subarray(0, fs.statSync(path.join(set, 'chain.rlp')).size).equals(fs.readFileSync(path.join(set, 'chain.rlp'))));
  const other = await init(folder, 'other', path.join(set, 'genesis.json'));
  assert.deepEqual(await imported(other.data, file), { blocks: after.number, known: 0, number: after.number, head: after.hash });
});

for (const [profile, args, count] of [['fast', [], 12], ['strict', ['--strict'], 3]]) {
  test(`blocks made here are exported, and imported into a fresh directory (${profile})`, async (t) => {
    const own = await ownChain(t, { args, count });
    const blocks = split(own.bytes);
    assert.equal(blocks.length, own.head.number);
    assert.equal(hashOfBlock(blocks.at(-1)), own.head.hash);
    const { data } = await init(own.folder, 'other', own.genesisFile, args);
    const head = { number: own.head.number, head: own.head.hash };
    assert.deepEqual(await imported(data, own.file), { blocks: blocks.length, known: 0, ...head });
    assert.ok((await exported(data, path.join(own.folder, 'other.rlp'))).equals(own.bytes));
    await expectAgreement(data);
    // Both go on to the same next block.
    const heads = [];
    const next = sign(accounts[0], { chainId, nonce: own.head.number, to: stranger(2), value: 1n });
    for (const place of [own.data, data]) {
      const node = await startNode(t, { dev: false, data: place });
      assert.equal(await node.balance(stranger(1)), 10n * BigInt(count));
      const receipt = await node.call('eth_getTransactionReceipt', [await node.call('eth_sendRawTransaction', [next])]);
      assert.equal(Number(receipt.blockNumber), own.head.number + 1);
      heads.push((await node.call('eth_getBlockByNumber', ['latest', false])).parentHash);
      assert.deepEqual(await node.stop(), { code: 0, signal: null });
      await expectAgreement(place);
    }
    assert.deepEqual(heads, [own.head.hash, own.head.hash]);
  });
}

test('parts of a chain are exported', async (t) => {
  const own = await ownChain(t, { count: 6 });
  const blocks = split(own.bytes);
  const file = path.join(own.folder, 'part.rlp');
  assert.ok((await exported(own.data, file, '--first', '2', '--last', '4')).equals(Buffer.concat(blocks.slice(1, 4))));
  const refused = await run(['export', '--data', own.data, file]);
  assert.deepEqual([refused.code, /part\.rlp: is there already; --force replaces it/.test(refused.stderr)], [1, true], refused.stderr);
  assert.equal(fs.statSync(file).size, blocks.slice(1, 4).reduce((sum, block) => sum + block.length, 0));
  assert.ok((await exported(own.data, file, '--force')).equals(own.bytes));
  const whole = await exported(own.data, file, '--force', '--first', '0');
  assert.equal(hashOfBlock(split(whole)[0]), own.genesisHash);
  assert.deepEqual(await imported(own.data, file), { blocks: 0, known: 7, number: 6, head: own.head.hash });
  for (const [args, message] of [
    [['--first', '7'], /there is no block 7: the newest is 6/],
    [['--last', '9'], /there is no block 9: the newest is 6/],
    [['--ledger', 'nobody'], /there is no ledger nobody; there are: main/],
  ]) {
    const answer = await run(['export', '--data', own.data, '--force', ...args, file]);
    assert.deepEqual([answer.code, message.test(answer.stderr)], [1, true], answer.stderr);
    assert.ok(fs.readFileSync(file).equals(whole), 'the file is as it was');
  }
  for (const args of [['--first', '3', '--last', '2'], ['--first', 'x'], ['--unknown'], ['a', 'b']])
    assert.equal((await run(['export', '--data', own.data, ...args])).code, 2, args.join(' '));
  // Through a pipe, from one program into the other.
  const { data } = await init(own.folder, 'other', own.genesisFile);
  const piped = await run(['-c', `"$0" export --data "$1" | "$0" import --data "$2" -`, binary, own.data, data], { command: 'sh' });
  assert.match(piped.stdout, /Imported 6 blocks/, piped.stderr);
  // A disk that is full is told, and nothing is left behind.
  if (fs.existsSync('/dev/full')) {
    const full = await run(['export', '--data', own.data, '/dev/full']);
    assert.deepEqual([full.code, /No space left/.test(full.stderr)], [1, true], full.stderr);
  }
});

test('what is no chain of this ledger is refused, and nothing is changed', async (t) => {
  const own = await ownChain(t);
  const { data } = await init(own.folder, 'fresh', own.genesisFile);
  assert.equal((await imported(data, own.file)).number, 12);
  const fresh = await init(own.folder, 'empty', own.genesisFile);
  const foreignFile = path.join(own.folder, 'foreign.json');
  fs.writeFileSync(foreignFile, genesis({ chainId, extraData: '0x01' }));
  const foreign = await init(own.folder, 'foreign', foreignFile);
  const blocks = split(own.bytes);
  const hashes = blocks.map(hashOfBlock);
  const write = (name, bytes) => {
    fs.writeFileSync(path.join(own.folder, name), bytes);
    return path.join(own.folder, name);
  };
  const text = own.bytes;
  const cases = [
    ['cut', fresh.data, text.subarray(0, text.length - 10), /cut: offset \d+: the file ends inside block 12/],
    ['cut in a prefix', fresh.data, text.subarray(0, text.length - blocks.at(-1).length + 2), /the file ends inside block 12/],
    ['garbage', fresh.data, crypto.createHash('sha512').update('x').digest(), /offset 0: this is no block|ends inside block 1/],
    ['text', fresh.data, Buffer.from('{"config": {}}'), /offset 0: this is no block/],
    ['packed', fresh.data, gzipSync(text), /packed is compressed: unpack it with gzip -d first/],
    ['garbage behind', fresh.data, Buffer.concat([text, Buffer.from('garbage')]), new RegExp(`offset ${text.length}: this is no block .*block 13 of the file`)],
    ['another genesis', foreign.data, text, new RegExp(`block 1 \\(${hashes[0]}\\): its parent is ${own.genesisHash}, but the genesis block of ledger main is ${foreign.hash}`)],
    ['a gap', fresh.data, Buffer.concat(blocks.slice(3)), new RegExp(`block 4 \\(${hashes[3]}\\) does not follow: block 0 is the newest`)],
  ];
  for (const [name, place, bytes, message] of cases) {
    const before = filesBelow(place, untouched);
    const answer = await importFile(place, write(name, bytes));
    assert.deepEqual([answer.code, message.test(answer.stderr)], [1, true], `${name}: ${answer.stderr}`);
    const after = filesBelow(place, untouched);
    delete after[segment]; // an empty one is made by whoever opens the directory first
    delete before[segment];
    assert.deepEqual(after, before, `${name}: something was changed`);
    await expectAgreement(place);
  }
  // A good file beside a bad one is not taken either.
  const both = await importFile(fresh.data, own.file, path.join(own.folder, 'cut'));
  assert.deepEqual([both.code, both.stdout], [1, '']);
  // Another block at a height that is taken names both.
  const other = withField(blocks[4], 12, () => '0x1234');
  const answer = await importFile(data, write('other', Buffer.concat([...blocks.slice(0, 4), other])));
  assert.equal(answer.code, 1);
  assert.match(answer.stderr, new RegExp(`block 5 \\(${hashOfBlock(other)}\\): ledger main has another block 5, ${hashes[4]}`));
  assert.match(answer.stdout, /Imported 0 blocks .*; 4 were there already/);
  const otherGenesis = await importFile(foreign.data, write('genesis', await exported(own.data, path.join(own.folder, 'g.rlp'), '--first', '0', '--last', '0')));
  assert.match(otherGenesis.stderr, new RegExp(`block 0 \\(${own.genesisHash}\\): ledger main has another genesis block 0, ${foreign.hash}`));
});

test('the first block that is not valid ends an import, and those before it stay', async (t) => {
  const own = await ownChain(t);
  const blocks = split(own.bytes);
  const file = path.join(own.folder, 'bad.rlp');
  const flip = (text) => text.slice(0, -2) + (parseInt(text.slice(-2), 16) ^ 1).toString(16).padStart(2, '0');
  const fields = { 3: 'wrong state root', 4: 'wrong transactions root', 5: 'wrong receipts root', 9: 'gas limit', 10: 'gas used', 15: 'wrong base fee' };
  let round = 0;
  for (const [index, message] of Object.entries(fields)) {
    const bad = withField(blocks[6], Number(index), (value) => (index === '9' ? '0x01' : flip(value)));
    fs.writeFileSync(file, Buffer.concat([...blocks.slice(0, 6), bad, ...blocks.slice(7)]));
    const { data } = await init(own.folder, `bad${round++}`, own.genesisFile);
    const answer = await importFile(data, file);
    assert.equal(answer.code, 1);
    assert.match(answer.stderr, new RegExp(`bad\\.rlp: offset \\d+: block 7 \\(${hashOfBlock(bad)}\\): .*${message}`));
    assert.match(answer.stdout, new RegExp(`Imported 6 blocks[^]*newest block is 6, ${hashOfBlock(blocks[5])}`));
    await expectAgreement(data);
    assert.deepEqual(await imported(data, own.file), { blocks: 6, known: 6, number: 12, head: own.head.hash });
  }
  // Bytes inside of a block: it still has its length.
  const inside = Buffer.from(own.bytes);
  const start = blocks.slice(0, 8).reduce((sum, block) => sum + block.length, 0);
  inside.fill(0xff, start + 60, start + 90);
  fs.writeFileSync(file, inside);
  const { data } = await init(own.folder, 'inside', own.genesisFile);
  const answer = await importFile(data, file);
  assert.deepEqual([answer.code, new RegExp(`offset ${start}: `).test(answer.stderr)], [1, true], answer.stderr);
  assert.match(answer.stdout, /newest block is 8/);
  // From a pipe everything before its end is kept.
  const piped = await run(['import', '--data', data, '-'], { input: own.bytes.subarray(0, own.bytes.length - 3) });
  assert.deepEqual([piped.code, /standard input: offset \d+: the file ends inside block 12/.test(piped.stderr)], [1, true], piped.stderr);
  assert.match(piped.stdout, /Imported 3 blocks[^]*8 were there already[^]*newest block is 11/);
});

test('an import needs a ledger, and the data directory for itself', async (t) => {
  const own = await ownChain(t, { count: 2 });
  const nothing = path.join(own.folder, 'nothing');
  for (const [args, message] of [
    [['--data', nothing, own.file], /there is no ledger here/],
    [['--data', own.data, '--ledger', 'nobody', own.file], /there is no ledger nobody; there are: main/],
    [['--data', own.data, path.join(own.folder, 'missing.rlp')], /missing\.rlp: No such file/],
    [['--data', own.data, own.folder], /Is a directory/],
  ]) {
    const answer = await run(['import', ...args]);
    assert.deepEqual([answer.code, message.test(answer.stderr)], [1, true], answer.stderr);
  }
  assert.ok(!fs.existsSync(nothing));
  for (const args of [[], ['--data', own.data], [own.file], ['--data', own.data, '--unknown', own.file], ['--data', own.data, '-', '-']])
    assert.equal((await run(['import', ...args])).code, 2, args.join(' '));
  for (const command of ['import', 'export']) {
    const help = await run([command, '--help']);
    assert.deepEqual([help.code, help.stdout.startsWith(`usage: hanse ${command} --data`)], [0, true]);
  }
  const node = await startNode(t, { dev: false, data: own.data });
  for (const args of [['import', '--data', own.data, own.file], ['export', '--data', own.data, path.join(own.folder, 'busy.rlp')]]) {
    const answer = await run(args);
    assert.deepEqual([answer.code, new RegExp(`in use by process ${node.pid}`).test(answer.stderr)], [1, true], answer.stderr);
  }
  assert.deepEqual(fs.readdirSync(own.folder).filter((name) => name.startsWith('busy')), []);
  assert.deepEqual(await node.stop(), { code: 0, signal: null });
});

test('a block larger than a frame of the log, and a lower gas limit', async (t) => {
  const folder = workFolder(t);
  const genesisFile = path.join(folder, 'genesis.json');
  fs.writeFileSync(genesisFile, genesis({ chainId, config: { pragueTime: undefined, osakaTime: undefined } }));
  const { data, hash } = await init(folder, 'data', genesisFile, ['--strict']);
  const parent = { hash, genesis: JSON.parse(fs.readFileSync(genesisFile)) };
  const raws = [];
  const large = '0x' + '00'.repeat(110000);
  for (let i = 0; i < 12; i++)
    raws.push(sign(accounts[i % 10], { chainId, nonce: Math.floor(i / 10), to: stranger(i), data: large, gasLimit: 500000n }));
  const block = await makeFirstBlock(parent, raws, { gasLimit: 29990000 });
  assert.ok(block.length > 1.2 * 1024 * 1024, 'two frames');
  const file = path.join(folder, 'large.rlp');
  fs.writeFileSync(file, block);
  const head = { number: 1, head: hashOfBlock(block) };
  assert.deepEqual(await imported(data, file), { blocks: 1, known: 0, ...head });
  assert.match(await expectAgreement(data), /log: 2 frames, 12 transactions/);
  assert.ok((await exported(data, path.join(folder, 'again.rlp'))).equals(block));
  for (const name of fs.readdirSync(data)) if (name.endsWith('.snapshot')) fs.rmSync(path.join(data, name));
  const node = await startNode(t, { dev: false, data });
  assert.equal((await headOf(node)).hash, head.head);
  assert.equal((await node.call('eth_getBlockByNumber', ['0x1', false])).transactions.length, raws.length);
  // A frame must not hold more than its block will: the limit climbs back to the genesis's from block to block.
  const submit = (nonce, gasLimit) =>
    node.ask('eth_sendRawTransaction', [sign(accounts[9], { chainId, nonce, gasLimit, maxFeePerGas: 2n * gwei })]);
  assert.match((await submit(1, 30000000n)).error.message, /gas limit/);
  assert.ok((await submit(1, 29990000n)).result);
  assert.equal(Number((await node.call('eth_getBlockByNumber', ['latest', false])).gasLimit), 30000000);
  assert.ok((await submit(2, 30000000n)).result);
  assert.deepEqual(await node.stop(), { code: 0, signal: null });
  await expectAgreement(data);
});

test('an import killed on its way is completed by the next one', async (t) => {
  const folder = workFolder(t);
  const genesisFile = path.join(folder, 'genesis.json');
  fs.writeFileSync(genesisFile, genesis({ chainId: 31337, config: { osakaTime: undefined, pragueTime: undefined } }));
  const own = await init(folder, 'own', genesisFile);
  const node = await startNode(t, { dev: false, data: own.data });
  const load = await run(['load', '--address', `127.0.0.1:${node.udpPort}`, '--rpc', node.url, '--senders', '16', '--count', '20000', '--json']);
  assert.equal(load.code, 0, load.stderr);
  const head = await headOf(node);
  assert.deepEqual(await node.stop(), { code: 0, signal: null });
  const file = path.join(folder, 'own.rlp');
  const bytes = await exported(own.data, file);
  assert.ok(bytes.length > 2 * 1024 * 1024, `${bytes.length} bytes`);
  const { data } = await init(folder, 'other', genesisFile);
  const hasFrames = () => fs.existsSync(path.join(data, segment)) && fs.readFileSync(path.join(data, segment)).indexOf('HNFRAME1') >= 0;
  let known = 0;
  for (const share of [0.1, 0.5, 0.8]) {
    const child = spawn(binary, ['import', '--data', data, '-'], { stdio: ['pipe', 'ignore', 'ignore'] });
    const ended = new Promise((resolve) => child.on('close', resolve));
    defer(t, () => child.kill('SIGKILL'));
    child.stdin.on('error', () => {});
    child.stdin.write(bytes.subarray(0, Math.floor(bytes.length * share)));
    await until(() => share < 0.4 || hasFrames(), 'a frame is written', 60000);
    child.kill('SIGKILL');
    await ended;
    known = Number(/(\d+) blocks, /.exec(await expectAgreement(data))[1]);
  }
  assert.ok(known > 0 && known < head.number, `${known} of ${head.number} blocks were durable`);
  const rest = { blocks: head.number - known, known, number: head.number, head: head.hash };
  assert.deepEqual(await imported(data, file), rest);
  await expectAgreement(data);
  // Asked to stop, it keeps what it has.
  const asked = await init(folder, 'asked', genesisFile);
  const child = spawn(binary, ['import', '--data', asked.data, '-'], { stdio: ['pipe', 'pipe', 'ignore'] });
  let said = '';
  child.stdout.on('data', (text) => (said += text));
  const ended = new Promise((resolve) => child.on('close', resolve));
  child.stdin.on('error', () => {});
  child.stdin.write(bytes.subarray(0, Math.floor(bytes.length * 0.9)));
  await until(() => fs.existsSync(path.join(asked.data, segment)) && fs.readFileSync(path.join(asked.data, segment)).indexOf('HNFRAME1') >= 0, 'a frame', 60000);
  child.kill('SIGTERM');
  child.stdin.end();
  assert.equal(await ended, 1);
  const kept = Number(/Imported (\d+) blocks/.exec(said)[1]);
  assert.deepEqual(await imported(asked.data, file), { blocks: head.number - kept, known: kept, number: head.number, head: head.hash });
  t.diagnostic(`${known} and ${kept} of ${head.number} blocks (${bytes.length} bytes) were kept`);
});
