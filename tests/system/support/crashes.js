// Clients that keep a list of what they were told, and rounds of crashes in which that list is checked.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';

import { Sender } from './datagrams.js';
import { binary, defer, Node, run, sleep, startNode, until, workFolder } from './node.js';
import { accounts, developmentChain, ether, hashOf, sign, stranger } from './wallets.js';

// Park and Miller's generator: a failure can be run again.
export function generator(seed) {
  let state = (seed % 2147483646) + 1;
  return (low, high) => {
    state = (state * 48271) % 2147483647;
    return low + (state % (high - low));
  };
}

// One client: an account that pays 1 wei at a time, and the list of what it was told.
export class Client {
  constructor(index, { chainId = developmentChain, where = '/', random, overRpc = false } = {}) {
    this.random = random;
    this.overRpc = overRpc;
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
      const block = this.overRpc ? await this.sendOverRpc(node, raw) : await this.sendDatagram(sender, raw, load);
      if (block === null) break; // the node is gone; what became of it is not known
      this.acknowledged.set(hashOf(raw), block);
    }
    sender.close();
  }

  // The block that the transaction was acknowledged in; null when nobody answered.
  async sendDatagram(sender, raw, load) {
    const receipt = await sender.submit(raw, { timeout: 1500, again: 100 });
    if (receipt === null || (receipt.verdict === 'STOPPED' && load.isStopping)) return null;
    assert.deepEqual([receipt.verdict, receipt.detail], ['EXECUTED', 0], JSON.stringify(receipt));
    return receipt.block;
  }

  // The same as a call, which tells no block: undefined.
  async sendOverRpc(node, raw) {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_sendRawTransaction', params: [raw] });
    let answer;
    try {
      const response = await fetch(node.url + this.where, {
        method: 'POST', body, headers: { 'content-type': 'application/json' }, signal: AbortSignal.timeout(5000),
      });
      answer = JSON.parse(await response.text());
    } catch {
      return null;
    }
    return answer.result === hashOf(raw) ? undefined : null;
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
    const some = new Set([...known.slice(0, 3), ...known.slice(-20), ...Array.from({ length: 10 }, () => known[this.random(0, nonce)])]);
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
export function startGenerator(t, node, seed) {
  const child = spawn(
    binary,
    ['load', '--address', `127.0.0.1:${node.udpPort}`, '--rpc', node.url, '--count', '8000', '--rate', '5000',
      '--senders', '8', '--recipients', '20', '--seed', String(seed), '--timeout', '1', '--no-check'],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  child.said = '';
  child.stderr.on('data', (data) => (child.said += data));
  child.closed = new Promise((resolve) => child.on('close', (code, signal) => resolve((child.end = { code, signal }))));
  defer(t, () => child.kill('SIGKILL'));
  return child;
}

// How a round ends: each gives true when the node must have ended by itself with everything finished.
const ends = {
  async kill(node) {
    await node.stop('SIGKILL');
  },
  // Killed while it cannot say a word.
  async freeze(node, load, random) {
    process.kill(node.pid, 'SIGSTOP');
    await sleep(random(1, 300));
    await node.stop('SIGKILL');
  },
  // It goes on after a while as if nothing had been, some times, and then dies.
  async pause(node, load, random) {
    for (let i = random(1, 4); i > 0; i--) {
      process.kill(node.pid, 'SIGSTOP');
      await sleep(random(1, 400));
      process.kill(node.pid, 'SIGCONT');
      await sleep(random(1, 300));
    }
    assert.ok(!node.end, `the node ended by itself: ${node.stderr}`);
    await node.stop('SIGKILL');
  },
  async finish(node, load) {
    load.isStopping = true;
    assert.deepEqual(await node.stop('SIGTERM'), { code: 0, signal: null }, node.stderr);
  },
  // In the middle of its orderly end.
  async interrupt(node, load, random) {
    load.isStopping = true;
    node.child.kill('SIGTERM');
    await sleep(random(0, 120));
    await node.stop('SIGKILL');
  },
  async hurry(node, load, random) {
    load.isStopping = true;
    node.child.kill('SIGTERM');
    await sleep(random(0, 60));
    await node.stop('SIGTERM');
  },
};

// One data directory that sees `rounds` crashes under load; every client checks everything after each of them.
// Gives the numbers of transactions, those of the load generator before it was told to end included, and of ends.
export async function crashRounds(t, { rounds, seed, kinds = Object.keys(ends), moment = [1, 1500] }) {
  const random = generator(seed);
  const data = path.join(workFolder(t), 'data');
  const clients = [0, 1, 2].map((index) => new Client(index, { random, overRpc: index === 2 }));
  const args = ['--log-segment', '8', '--snapshot-frames', '500'];
  const counts = { made: 0, acknowledged: 0, ends: {} };
  for (let round = 0; round < rounds; round++) {
    if (random(0, 4) === 0) {
      // Killed while it recovers, too.
      const early = new Node(['--dev', '--data', data, '--cores', '2', ...args]);
      await sleep(random(20, 400));
      await early.stop('SIGKILL');
    }
    const node = await startNode(t, { data, args: [...args, '--cores', String(1 + random(0, 3))] });
    for (const client of clients) await client.repeat(t, node, await client.check(node));
    let beside = startGenerator(t, node, seed + round);
    let attempts = 3;
    const load = { isRunning: true, isStopping: false };
    const running = Promise.all(clients.map((client) => client.send(t, node, load)));
    const made = await until(async () => {
      const transactions = Number((await node.stats('/hanse/ledger,dev')).transactions);
      if (transactions <= 1000 && beside.end) {
        // On a machine that is very busy it may give up before it has begun.
        assert.ok(--attempts > 0, `round ${round}: the load generator ended: ${JSON.stringify(beside.end)} ${beside.said}`);
        beside = startGenerator(t, node, seed + round + 1000 * attempts);
      }
      return transactions > 1000 && transactions;
    }, 'the load generator is at work', 20000);
    await Promise.race([sleep(random(...moment)), running]);
    assert.ok(!node.end, `the node ended by itself: ${node.stderr}`);
    const kind = kinds[random(0, kinds.length)];
    await ends[kind](node, load, random);
    load.isRunning = false;
    await running;
    beside.kill('SIGKILL');
    await beside.closed;
    counts.made += made;
    counts.ends[kind] = (counts.ends[kind] ?? 0) + 1;
  }
  const node = await startNode(t, { data, args });
  for (const client of clients) {
    await client.check(node);
    counts.acknowledged += client.acknowledged.size;
  }
  assert.deepEqual(await node.stop(), { code: 0, signal: null }, node.stderr);
  const audit = await run(['verify', '--data', data], { timeout: 120000 });
  assert.deepEqual([audit.code, /Everything agrees/.test(audit.stdout)], [0, true], audit.stdout + audit.stderr);
  return counts;
}
