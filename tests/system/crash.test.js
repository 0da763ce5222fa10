// kill -9 at random moments under load, again and again in one data directory: what was acknowledged is there.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { Sender } from './support/datagrams.js';
import { genesis } from './support/genesis.js';
import { binary, defer, Node, run, sleep, startNode, until, workFolder } from './support/node.js';
import { accounts, developmentChain, ether, hashOf, sign, stranger } from './support/wallets.js';

const rounds = Number(process.env.HANSE_CRASH_ROUNDS ?? 6);
const seed = Number(process.env.HANSE_SEED ?? Date.now() % 1000000);

// Park and Miller's generator: a failure can be run again.
let state = (seed % 2147483646) + 1;
const random = (low, high) => {
  state = (state * 48271) % 2147483647;
  return low + (state % (high - low));
};

// One client: an account that pays 1 wei at a time, and the list of what it was told.
class Client {
  constructor(index, { chainId = developmentChain, where = '/' } = {}) {
    this.wallet = accounts[index + 1];
    this.recipient = stranger(1000 + index);
    this.chainId = chainId;
    this.where = where;
    this.raws = []; // everything ever sent, by nonce
    this.acknowledged = new Map(); // hash to block
  }

  async send(t, node, load) {
    const sender = new Sender(t, node.udpPort);
    while (load.isRunning) {
      const nonce = this.raws.length;
      const raw = sign(this.wallet, { chainId: this.chainId, nonce, to: this.recipient, value: 1n });
      this.raws.push(raw);
      const receipt = await sender.submit(raw, { timeout: 1500, again: 100 });
      if (receipt === null) break; // the node is gone; what became of it is not known
      assert.deepEqual([receipt.verdict, receipt.detail], ['EXECUTED', 0], JSON.stringify(receipt));
      this.acknowledged.set(receipt.hash, receipt.block);
    }
    sender.close();
  }

  // Everything acknowledged is there, what else is there was sent, and the accounts are what that makes them.
  async check(node) {
    const nonce = await node.nonce(this.wallet.address, this.where);
    assert.ok(nonce <= this.raws.length, 'nothing was made up');
    assert.ok(nonce >= this.acknowledged.size, `${this.acknowledged.size} acknowledged, nonce ${nonce}`);
    let spent = 0n;
    for (let from = 0; from < this.raws.length; from += 500) {
      const hashes = this.raws.slice(from, from + 500).map(hashOf);
      const calls = hashes.map((hash, id) => ({ jsonrpc: '2.0', id, method: 'eth_getTransactionReceipt', params: [hash] }));
      const answers = JSON.parse((await node.post(JSON.stringify(calls), { path: this.where })).text);
      for (const [i, hash] of hashes.entries()) {
        const receipt = answers[i].result;
        if (from + i >= nonce) {
          assert.equal(receipt, null);
          continue;
        }
        assert.ok(receipt, `transaction ${from + i} of ${this.wallet.address} has no receipt`);
        assert.equal(receipt.status, '0x1');
        const told = this.acknowledged.get(hash);
        if (told !== undefined) assert.equal(Number(receipt.blockNumber), told, `${hash} was acknowledged in block ${told}`);
        spent += 1n + BigInt(receipt.gasUsed) * BigInt(receipt.effectiveGasPrice);
      }
    }
    assert.equal(await node.balance(this.wallet.address, this.where), 10000n * ether - spent);
    assert.equal(await node.balance(this.recipient, this.where), BigInt(nonce));
    return nonce;
  }

  // Who repeats what was acknowledged hears the same again; what was not there is sent again.
  async repeat(t, node, nonce) {
    const sender = new Sender(t, node.udpPort);
    const known = this.raws.slice(0, nonce);
    const some = new Set([...known.slice(0, 3), ...known.slice(-20), ...Array.from({ length: 10 }, () => known[random(0, nonce)])]);
    for (const raw of nonce === 0 ? [] : some) {
      const receipt = await sender.submit(raw);
      assert.deepEqual([receipt?.verdict, receipt?.detail], ['EXECUTED', 0], JSON.stringify(receipt));
      const told = this.acknowledged.get(receipt.hash);
      if (told !== undefined) assert.equal(receipt.block, told);
      this.acknowledged.set(receipt.hash, receipt.block);
    }
    assert.equal(await node.nonce(this.wallet.address, this.where), nonce, 'repeating changed nothing');
    assert.equal(await node.balance(this.recipient, this.where), BigInt(nonce));
    for (const raw of this.raws.slice(nonce)) {
      const receipt = await sender.submit(raw);
      assert.equal(receipt?.verdict, 'EXECUTED', JSON.stringify(receipt));
      this.acknowledged.set(receipt.hash, receipt.block);
    }
    sender.close();
  }
}

// The load generator beside them; it is told nothing of the crash.
function startGenerator(t, node, round) {
  const child = spawn(
    binary,
    ['load', '--address', `127.0.0.1:${node.udpPort}`, '--rpc', node.url, '--count', '8000', '--rate', '5000',
      '--senders', '8', '--recipients', '20', '--seed', String(seed + round), '--timeout', '1', '--no-check'],
    { stdio: 'ignore' },
  );
  child.closed = new Promise((resolve) => child.on('close', resolve));
  defer(t, () => child.kill('SIGKILL'));
  return child;
}

test(`nothing acknowledged is lost by kill -9 under load (HANSE_SEED=${seed})`, async (t) => {
  const data = path.join(workFolder(t), 'data');
  const clients = [0, 1, 2].map((index) => new Client(index));
  const args = ['--log-segment', '8', '--snapshot-frames', '500'];
  let generated = 0;
  for (let round = 0; round < rounds; round++) {
    if (round % 3 === 2) {
      // Killed while it recovers, too.
      const early = new Node(['--dev', '--data', data, '--cores', '2', ...args]);
      await sleep(random(20, 400));
      await early.stop('SIGKILL');
    }
    const node = await startNode(t, { data, args: [...args, '--cores', String(1 + (round % 3))] });
    for (const client of clients) {
      const nonce = await client.check(node);
      await client.repeat(t, node, nonce);
    }
    const generator = startGenerator(t, node, round);
    const load = { isRunning: true };
    const running = Promise.all(clients.map((client) => client.send(t, node, load)));
    await Promise.race([sleep(random(700, 2300)), running]);
    assert.ok(!node.end, `the node ended by itself: ${node.stderr}`);
    const transactions = await until(async () => {
      const made = Number((await node.stats('/hanse/ledger,dev')).transactions);
      return made > 1000 && made;
    }, 'the load generator is at work', 20000);
    await node.stop('SIGKILL');
    load.isRunning = false;
    await running;
    generator.kill('SIGKILL');
    await generator.closed;
    generated += transactions;
  }
  const node = await startNode(t, { data, args });
  let total = 0;
  for (const client of clients) total += await client.check(node);
  assert.ok(total > 20 * rounds, `only ${total} transactions in ${rounds} rounds`);
  assert.ok(generated > 1000 * rounds, `the load generator made only ${generated} transactions`);
  t.diagnostic(`${total} transactions of clients, ${generated} in all`);
  assert.deepEqual(await node.stop(), { code: 0, signal: null }, node.stderr);
  const audit = await run(['verify', '--data', data], { timeout: 120000 });
  assert.deepEqual([audit.code, /Everything agrees/.test(audit.stdout)], [0, true], audit.stdout + audit.stderr);
});

test(`nothing acknowledged is lost by kill -9 on two ledgers and shards (HANSE_SEED=${seed})`, async (t) => {
  const folder = workFolder(t);
  const args = ['--data', path.join(folder, 'data'), '--shards', '2'];
  const clients = [];
  for (const [index, name] of ['one', 'two'].entries()) {
    const chainId = 801 + index;
    fs.writeFileSync(path.join(folder, name), genesis({ chainId }));
    args.push('--ledger', `${name}=${path.join(folder, name)}`);
    for (const account of [0, 1, 2]) clients.push(new Client(account, { chainId, where: `/${name}` }));
  }
  for (let round = 0; round < Math.ceil(rounds / 2); round++) {
    const node = await startNode(t, { dev: false, args: [...args, '--cores', String(3 - (round % 3))] });
    for (const client of clients) await client.repeat(t, node, await client.check(node));
    const load = { isRunning: true };
    const running = Promise.all(clients.map((client) => client.send(t, node, load)));
    await Promise.race([sleep(random(300, 1200)), running]);
    assert.ok(!node.end, `the node ended by itself: ${node.stderr}`);
    await node.stop('SIGKILL');
    load.isRunning = false;
    await running;
  }
  const node = await startNode(t, { dev: false, args });
  for (const client of clients) await client.check(node);
  assert.deepEqual(await node.stop(), { code: 0, signal: null }, node.stderr);
  const audit = await run(['verify', '--data', path.join(folder, 'data')]);
  assert.deepEqual([audit.code, /Everything agrees/.test(audit.stdout)], [0, true], audit.stdout + audit.stderr);
});

test('the load generator finds its own state again after kill -9', async (t) => {
  const folder = workFolder(t);
  const data = path.join(folder, 'data');
  const expected = path.join(folder, 'state');
  const node = await startNode(t, { data });
  const load = (...args) => run(['load', '--address', `127.0.0.1:${node.udpPort}`, '--rpc', node.url, '--senders', '16', ...args]);
  for (const workload of ['transfer', 'erc20', 'hot', 'swap']) {
    const made = await load('--workload', workload, '--count', '1500', '--seed', workload.length.toString(), '--json', '--save-state', expected + workload);
    assert.equal(made.code, 0, made.stderr);
    const result = JSON.parse(made.stdout);
    assert.deepEqual([result.transactions, result.failed, result.state], [1500, 0, 'right'], made.stdout);
  }
  const overRpc = await load('--target', 'rpc', '--count', '500', '--seed', '99', '--json');
  assert.equal(overRpc.code, 0, overRpc.stderr);
  await node.stop('SIGKILL');
  const again = await startNode(t, { data });
  const check = await run(['load', '--rpc', again.url, '--check-state', expected + 'swap']);
  assert.equal(check.code, 0, check.stderr);
  await until(() => !again.end, 'the node is still there');
  await again.stop();
  const audit = await run(['verify', '--data', data]);
  assert.deepEqual([audit.code, /Everything agrees/.test(audit.stdout)], [0, true], audit.stdout + audit.stderr);
});
