// Several ledgers in one node, and the two profiles.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { Sender } from './support/datagrams.js';
import { genesis } from './support/genesis.js';
import { refusedNode, run, sleep, startNode, workFolder } from './support/node.js';
import { accounts, sign, signLegacyByHand, stranger } from './support/wallets.js';

// Two genesis files in a folder of their own.
function twoGenesisFiles(t) {
  const folder = workFolder(t);
  const files = [501, 502].map((chainId) => path.join(folder, `${chainId}.json`));
  fs.writeFileSync(files[0], genesis({ chainId: 501 }));
  fs.writeFileSync(files[1], genesis({ chainId: 502, extraData: '0x02' }));
  return { folder, files };
}

// Both ledgers answer at their paths, and transactions find theirs by their chain id.
async function bothWork(t, node, names, nonce = 0) {
  assert.equal(await node.call('eth_chainId', [], '/'), '0x1f5');
  assert.equal(await node.call('eth_chainId', [], `/${names[0]}`), '0x1f5');
  assert.equal(await node.call('eth_chainId', [], `/${names[1]}`), '0x1f6');
  assert.deepEqual(await node.stats('/hanse/ledger'), { [names[0]]: 501, [names[1]]: 502 });
  const sender = new Sender(t, node.udpPort);
  for (const [ledger, name] of names.entries()) {
    const raw = sign(accounts[0], { chainId: 501 + ledger, nonce, to: stranger(ledger), value: 10n });
    const receipt = await sender.submit(raw);
    assert.deepEqual([receipt.verdict, receipt.ledger], ['EXECUTED', ledger]);
    await node.shows(receipt);
    assert.equal(await node.nonce(accounts[0].address, `/${name}`), nonce + 1);
    assert.equal(await node.balance(stranger(ledger), `/${name}`), 10n * BigInt(nonce + 1));
    assert.equal(await node.balance(stranger(1 - ledger), `/${name}`), 0n);
    assert.ok(await node.call('eth_getTransactionReceipt', [receipt.hash], `/${name}`));
    assert.equal(await node.call('eth_getTransactionReceipt', [receipt.hash], `/${names[1 - ledger]}`), null);
  }
}

test('ledgers given by flags are made, and found again', async (t) => {
  const { folder, files } = twoGenesisFiles(t);
  const data = path.join(folder, 'data');
  const args = ['--ledger', `first=${files[0]}`, '--ledger', `second=${files[1]}`];
  const node = await startNode(t, { dev: false, data, args });
  await bothWork(t, node, ['first', 'second']);
  assert.deepEqual(await node.stop(), { code: 0, signal: null });
  const again = await startNode(t, { dev: false, data, args });
  await bothWork(t, again, ['first', 'second'], 1);
  assert.deepEqual(await again.stop(), { code: 0, signal: null });
  const without = await startNode(t, { dev: false, data });
  await bothWork(t, without, ['first', 'second'], 2);
});

test('ledgers given by a configuration file are made', async (t) => {
  const { folder, files } = twoGenesisFiles(t);
  const config = path.join(folder, 'hanse.yaml');
  fs.writeFileSync(
    config,
    `# two ledgers
data: ${path.join(folder, 'data')}
cores: 2
shards: 2
udp:
  listen: 127.0.0.1:0
ledgers:
  - name: first
    genesis: ${files[0]}
    shard: 1
  - name: second
    genesis: ${files[1]}
    shard: 0
`,
  );
  const node = await startNode(t, { dev: false, args: ['--config', config] , data: path.join(folder, 'data') });
  await bothWork(t, node, ['first', 'second']);
  assert.equal((await node.stats('/hanse/ledger,first')).shard, 1);
  assert.equal((await node.stats('/hanse/ledger,second')).shard, 0);
});

test('`hanse init` makes ledgers, and refuses what cannot be one', async (t) => {
  const { folder, files } = twoGenesisFiles(t);
  const data = path.join(folder, 'deep/data');
  const init = (...args) => run(['init', '--data', data, ...args]);
  fs.mkdirSync(path.join(folder, 'deep'));
  const made = await init('--genesis', files[0]);
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stdout, /Ledger main made: chain id 501, genesis block 0x[0-9a-f]{64}/);
  const hash = /0x[0-9a-f]{64}/.exec(made.stdout)[0];
  assert.equal((await init('--genesis', files[1], '--ledger', 'other')).code, 0);

  const twice = await init('--genesis', files[0]);
  assert.deepEqual([twice.code, /there is a ledger main already/.test(twice.stderr)], [1, true], twice.stderr);
  const missing = await init('--genesis', path.join(folder, 'nothing.json'), '--ledger', 'x');
  assert.deepEqual([missing.code, /nothing\.json: No such file or directory/.test(missing.stderr)], [1, true], missing.stderr);
  const bad = path.join(folder, 'bad.json');
  for (const [text, reason] of [
    ['{', /bad\.json: .*line/],
    ['{}', /bad\.json: .*(config|required|missing)/],
    [genesis({ chainId: 9 }).replace('"0x1c9c380"', '"many"'), /bad\.json: .*gasLimit/],
    [genesis({ chainId: 9, config: { amsterdamTime: 0 } }), /bad\.json: .*amsterdam/i],
  ]) {
    fs.writeFileSync(bad, text);
    const answer = await init('--genesis', bad, '--ledger', 'bad');
    assert.equal(answer.code, 1, answer.stdout);
    assert.match(answer.stderr, reason);
  }
  const named = await init('--genesis', files[0], '--ledger', '../evil');
  assert.deepEqual([named.code, /no ledger name/.test(named.stderr)], [2, true], named.stderr);

  const node = await startNode(t, { dev: false, data });
  assert.equal((await node.call('eth_getBlockByNumber', ['0x0', false])).hash, hash);
  await bothWork(t, node, ['main', 'other']);
});

test('the same chain id twice is refused', async (t) => {
  const { folder, files } = twoGenesisFiles(t);
  const data = path.join(folder, 'data');
  const same = path.join(folder, 'same.json');
  fs.writeFileSync(same, genesis({ chainId: 501, extraData: '0x03' }));
  const answer = await refusedNode(t, ['--data', data, '--ledger', `one=${files[0]}`, '--ledger', `two=${same}`]);
  assert.equal(answer.code, 1);
  assert.match(answer.stderr, /ledgers one and two have the same chain id 501/);
  // A mistake on the command line must not spoil the data directory.
  const node = await startNode(t, { dev: false, data, args: ['--ledger', `one=${files[0]}`] });
  assert.equal(await node.call('eth_chainId'), '0x1f5');
});

test('a changed genesis is refused, and so is a changed profile', async (t) => {
  const { folder, files } = twoGenesisFiles(t);
  const data = path.join(folder, 'data');
  const node = await startNode(t, { dev: false, data, args: ['--ledger', `one=${files[0]}`] });
  assert.deepEqual(await node.stop(), { code: 0, signal: null });
  const changed = await refusedNode(t, ['--data', data, '--ledger', `one=${files[1]}`]);
  assert.equal(changed.code, 1);
  assert.match(changed.stderr, /ledger one: .*502\.json.* is not what the data directory was made with/);
  const strict = await refusedNode(t, ['--data', data, '--ledger', `one=${files[0]},strict`]);
  assert.equal(strict.code, 1);
  assert.match(strict.stderr, /profile.* is not what the data directory was made with/);
  const again = await startNode(t, { dev: false, data, args: ['--ledger', `one=${files[0]}`] });
  assert.equal(await again.call('eth_chainId'), '0x1f5');
});

test('a legacy transaction without chain id goes to the first ledger', async (t) => {
  const { files } = twoGenesisFiles(t);
  const args = ['--ledger', `first=${files[0]}`, '--ledger', `second=${files[1]}`];
  const node = await startNode(t, { dev: false, args });
  const sender = new Sender(t, node.udpPort);
  const raw = signLegacyByHand(accounts[0], { nonce: 0, value: 3n }, { chainId: null });
  const receipt = await sender.submit(raw);
  assert.deepEqual([receipt.verdict, receipt.ledger], ['EXECUTED', 0]);
  assert.equal(await node.nonce(accounts[0].address, '/second'), 0);
  // By its path it can be given to the other one too: nothing binds it to a ledger.
  await node.call('eth_sendRawTransaction', [raw], '/second');
  assert.equal(await node.nonce(accounts[0].address, '/second'), 1);
});

test('JSON-RPC of one ledger refuses transactions of another', async (t) => {
  const { files } = twoGenesisFiles(t);
  const args = ['--ledger', `first=${files[0]}`, '--ledger', `second=${files[1]}`];
  const node = await startNode(t, { dev: false, args });
  const answer = await node.ask('eth_sendRawTransaction', [sign(accounts[0], { chainId: 502, nonce: 0 })], '/first');
  assert.match(answer.error.message, /invalid chain id for signer/);
  const sender = new Sender(t, node.udpPort);
  const nobody = await sender.submit(sign(accounts[0], { chainId: 503, nonce: 0 }));
  assert.deepEqual([nobody.verdict, nobody.detail], ['REJECTED', 'WRONG_CHAIN_ID']);
});

test('gas may cost nothing', async (t) => {
  const folder = workFolder(t);
  const file = path.join(folder, 'free.json');
  fs.writeFileSync(file, genesis({ chainId: 601, config: { zeroBaseFee: true } }));
  const node = await startNode(t, { dev: false, args: ['--ledger', `free=${file}`] });
  assert.equal(await node.call('eth_gasPrice'), '0x0');
  const sender = new Sender(t, node.udpPort);
  const before = await node.balance(accounts[0].address);
  const raws = [
    sign(accounts[0], { chainId: 601, type: 0, gasPrice: 0n, nonce: 0, value: 1n }),
    sign(accounts[0], { chainId: 601, maxFeePerGas: 0n, maxPriorityFeePerGas: 0n, nonce: 1, value: 1n }),
  ];
  for (const raw of raws) {
    const receipt = await sender.submit(raw);
    assert.deepEqual([receipt?.verdict, receipt?.detail], ['EXECUTED', 0]);
    await node.shows(receipt);
  }
  assert.equal(await node.balance(accounts[0].address), before - 2n);
  // Nobody needs any funds.
  const empty = accounts[0].deriveChild(5);
  const free = { chainId: 601, maxFeePerGas: 0n, maxPriorityFeePerGas: 0n, nonce: 0, value: 0n };
  await node.shows(await sender.submit(sign(empty, free)));
  assert.equal((await node.call('eth_getBlockByNumber', ['latest', false])).baseFeePerGas, '0x0');
});

test('a fast ledger cuts blocks at once, a strict one lets timestamps rise', async (t) => {
  const folder = workFolder(t);
  const files = [701, 702].map((chainId) => {
    const file = path.join(folder, `${chainId}.json`);
    fs.writeFileSync(file, genesis({ chainId }));
    return file;
  });
  const args = ['--ledger', `fast=${files[0]}`, '--ledger', `strict=${files[1]},strict`];
  const node = await startNode(t, { dev: false, args });
  const sender = new Sender(t, node.udpPort);
  const stamps = { fast: [], strict: [] };
  const least = { fast: 15, strict: 2 };
  for (const [ledger, name] of ['fast', 'strict'].entries()) {
    const began = Date.now();
    // Two seconds and a half, and more when the machine is too slow to make several blocks in them.
    for (let nonce = 0; nonce < 40 && (Date.now() - began < 2500 || nonce < least[name]); nonce++) {
      const receipt = await sender.submit(sign(accounts[0], { chainId: 701 + ledger, nonce }));
      assert.deepEqual([receipt?.verdict, receipt?.ledger], ['EXECUTED', ledger], JSON.stringify(receipt));
      await node.shows(receipt);
      await sleep(20);
    }
    const last = Number(await node.call('eth_blockNumber', [], `/${name}`));
    for (let number = 1; number <= last; number++) {
      const block = await node.call('eth_getBlockByNumber', ['0x' + number.toString(16), false], `/${name}`);
      assert.notEqual(block.transactions.length, 0, 'no block is empty');
      stamps[name].push(Number(block.timestamp));
    }
  }
  assert.ok(stamps.fast.length > 10, `${stamps.fast.length} blocks`);
  assert.ok(stamps.fast.every((stamp, i) => i === 0 || stamp >= stamps.fast[i - 1]));
  assert.ok(new Set(stamps.fast).size < stamps.fast.length, 'several blocks share a second');
  const rises = stamps.strict.every((stamp, i) => i === 0 || stamp > stamps.strict[i - 1]);
  assert.ok(rises, `timestamps of strict blocks: ${stamps.strict}`);
  const now = Math.floor(Date.now() / 1000);
  assert.ok(stamps.strict.every((stamp) => stamp <= now + 1), `strict blocks lie in the future: ${stamps.strict} at ${now}`);
});
