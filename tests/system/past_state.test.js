// The state at older blocks: recorded while each block was the newest, and the same after an orderly stop, after
// kill -9, when all of it is replayed from the log, and when hardly any memory is left for it. And the block history,
// made again by `hanse reindex`: every answer is the same byte for byte.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { binary, run, startNode, until, workFolder } from './support/node.js';
import { accounts, gwei, sign, stranger } from './support/wallets.js';

const hex = (number) => '0x' + number.toString(16);
const word = (number) => number.toString(16).padStart(64, '0');

// Two words: stores the second at the first, and logs it. One word: returns what is stored there.
const code = '36604014601057' + '5f35545f5260205ff3' + '5b60075f5fa16020355f355500';
const creation = '0x601d600a5f39601d5ff3' + code;

class Traffic {
  constructor() {
    this.nonces = new Map();
    this.contracts = [];
    this.recorded = new Map(); // block number to the answers of that moment
  }

  raw(wallet, fields) {
    const nonce = this.nonces.get(wallet) ?? 0;
    this.nonces.set(wallet, nonce + 1);
    return sign(wallet, { nonce, ...fields });
  }

  async submit(node, wallet, fields) {
    const receipt = await node.call('eth_sendRawTransactionSync', [this.raw(wallet, fields)]);
    assert.equal(receipt.status, '0x1', JSON.stringify(receipt));
    return receipt;
  }

  // What a client can ask about the state at a block.
  questions(number) {
    const at = hex(number);
    const asked = [];
    for (const wallet of accounts.slice(0, 3)) {
      asked.push(['eth_getBalance', [wallet.address, at]]);
      asked.push(['eth_getTransactionCount', [wallet.address, at]]);
    }
    for (let i = 0; i < 4; i++) asked.push(['eth_getBalance', [stranger(i), at]]);
    for (const contract of this.contracts) {
      asked.push(['eth_getCode', [contract, at]]);
      for (let slot = 0; slot < 3; slot++) {
        asked.push(['eth_getStorageAt', [contract, hex(slot), at]]);
        asked.push(['eth_call', [{ to: contract, data: '0x' + word(slot) }, at]]);
      }
      asked.push(['eth_getProof', [contract, ['0x0', '0x2'], at]]);
    }
    return asked;
  }

  async answers(node, number) {
    const asked = this.questions(number).map(([method, params], id) => ({ jsonrpc: '2.0', id, method, params }));
    return (await node.post(JSON.stringify(asked))).text;
  }

  // Blocks with payments, writes and a contract that comes in between; each recorded while it is the newest.
  async go(node, blocks) {
    for (let i = 0; i < blocks; i++) {
      const turn = this.recorded.size;
      let receipt;
      if (turn % 12 === 3) {
        receipt = await this.submit(node, accounts[1], { to: null, value: 0n, data: creation, gasLimit: 200000n, maxFeePerGas: 100n * gwei });
        this.contracts.push(receipt.contractAddress);
      } else if (turn % 2 === 0 && this.contracts.length !== 0) {
        const contract = this.contracts[turn % this.contracts.length];
        const value = turn % 6 === 0 ? 0 : turn;
        receipt = await this.submit(node, accounts[2], { to: contract, value: 0n, data: '0x' + word(turn % 3) + word(value), gasLimit: 100000n });
      } else {
        receipt = await this.submit(node, accounts[0], { to: stranger(turn % 4), value: BigInt(turn + 1) });
      }
      const number = Number(receipt.blockNumber);
      this.recorded.set(number, { contracts: this.contracts.length, text: await this.answers(node, number) });
    }
  }

  async check(node, what) {
    const all = this.contracts;
    for (const [number, { contracts, text }] of this.recorded) {
      this.contracts = all.slice(0, contracts);
      const now = await this.answers(node, number);
      assert.deepEqual(JSON.parse(now), JSON.parse(text), `${what}: block ${number}`);
      assert.equal(now, text);
    }
    this.contracts = all;
  }
}

test('the state at older blocks is the same after restarts', async (t) => {
  const data = path.join(workFolder(t), 'data');
  const traffic = new Traffic();
  let node = await startNode(t, { data });
  await traffic.go(node, 40);
  await traffic.check(node, 'at once');
  assert.ok([...traffic.recorded.values()].every(({ text }) => !text.includes('error')), [...traffic.recorded.values()].at(-1).text);
  assert.ok(JSON.parse([...traffic.recorded.values()].at(-1).text).some(({ result }) => result === '0x' + word(38)), 'something was stored');

  await node.stop();
  node = await startNode(t, { data });
  assert.equal((await node.stats('/hanse/ledger,dev')).oldest_state, 0);
  await traffic.check(node, 'after a stop');
  await traffic.go(node, 20);

  await node.stop('SIGKILL');
  node = await startNode(t, { data });
  await traffic.check(node, 'after kill -9');
  await traffic.go(node, 5);
  await node.stop('SIGKILL');

  for (const name of fs.readdirSync(data)) if (name.endsWith('.snapshot')) fs.rmSync(path.join(data, name));
  node = await startNode(t, { data });
  await traffic.check(node, 'replayed from the beginning');
  await node.stop();

  node = await startNode(t, { data, args: ['--state-memory', '1'] });
  const load = await run(['load', '--address', `127.0.0.1:${node.udpPort}`, '--rpc', node.url, '--count', '12000', '--window', '64', '--senders', '16', '--recipients', '1000', '--threads', '1'], { timeout: 120000 });
  assert.equal(load.code, 0, load.stdout + load.stderr);
  const stats = await node.stats('/hanse/ledger,dev');
  assert.ok(stats.oldest_state_in_memory > 65, JSON.stringify(stats));
  await traffic.check(node, 'with little memory');
  await node.stop();

  // What lies before the window is not told, and not made up.
  node = await startNode(t, { data, args: ['--state-window', '50'] });
  const newest = Number(await node.call('eth_blockNumber'));
  const answer = await node.ask('eth_getBalance', [accounts[0].address, hex(newest - 51)]);
  assert.deepEqual(answer.error, { code: -32000, message: 'historical state is not available' });
  assert.ok(await node.call('eth_getBalance', [accounts[0].address, hex(newest - 50)]));
});

// Whatever the history tells of every block, and the state at each.
async function everything(node, traffic) {
  const answers = [];
  const ask = async (method, params) => {
    answers.push((await node.post(JSON.stringify({ jsonrpc: '2.0', id: answers.length, method, params }))).text);
    return JSON.parse(answers.at(-1)).result;
  };
  const newest = Number(await ask('eth_blockNumber', []));
  for (let number = 0; number <= newest; number++) {
    const block = await ask('eth_getBlockByNumber', [hex(number), true]);
    await ask('eth_getBlockByHash', [block.hash, false]);
    await ask('debug_getRawBlock', [hex(number)]);
    await ask('eth_getBlockReceipts', [hex(number)]);
    for (const { hash } of block.transactions) {
      await ask('eth_getTransactionByHash', [hash]);
      await ask('eth_getTransactionReceipt', [hash]);
      await ask('debug_traceTransaction', [hash, { tracer: 'callTracer' }]);
    }
    answers.push(await traffic.answers(node, number));
  }
  await ask('eth_getLogs', [{ fromBlock: '0x0', topics: ['0x' + word(7)] }]);
  await ask('eth_getLogs', [{ fromBlock: '0x0', address: traffic.contracts[0] }]);
  await ask('eth_feeHistory', ['0x20', 'latest', [10, 50]]);
  return answers;
}

test('reindex makes the same block history again', async (t) => {
  const data = path.join(workFolder(t), 'data');
  const history = path.join(data, 'history');
  const traffic = new Traffic();
  let node = await startNode(t, { data });
  await traffic.go(node, 30);
  const busy = await run(['reindex', '--data', data]);
  assert.equal(busy.code, 1, 'a running node has it');
  assert.match(busy.stderr, /nothing was changed/);
  const before = await everything(node, traffic);
  assert.ok(before.length > 200 && before.filter((text) => text.includes('"logs":[{')).length > 5, `${before.length} answers`);
  await node.stop();

  const check = async (what) => {
    node = await startNode(t, { data });
    assert.doesNotMatch(node.stderr, /replay/, what);
    const after = await everything(node, traffic);
    for (const [i, text] of before.entries()) assert.equal(after[i], text, what);
    assert.equal(after.length, before.length);
    await node.stop();
  };
  const reindex = async (what) => {
    const { code, stdout, stderr } = await run(['reindex', '--data', data]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^ledger dev: 30 blocks, checked$/m);
    assert.deepEqual(fs.readdirSync(data).filter((name) => name.startsWith('history')), ['history']);
    await check(what);
  };
  await reindex('over an old one');
  fs.rmSync(history, { recursive: true });
  await reindex('where there is none');

  // Killed while it works, it has changed nothing.
  for (let round = 0; round < 3; round++) {
    const child = spawn(binary, ['reindex', '--data', data], { stdio: 'ignore' });
    const ended = new Promise((resolve) => child.on('close', resolve));
    if (round !== 0) await until(() => child.exitCode !== null || fs.existsSync(path.join(data, 'history.new', 'data.mdb')), 'it works');
    child.kill('SIGKILL');
    await ended;
    if (round === 1) await check('killed in the middle');
  }
  await reindex('begun anew');

  // A log that cannot be read leaves the old one.
  const where = path.join(data, 'log-000000000001.segment');
  const bytes = fs.readFileSync(where);
  const damaged = Buffer.from(bytes);
  damaged[8192 + 600] ^= 1;
  fs.writeFileSync(where, damaged);
  const refused = await run(['reindex', '--data', data]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /the log cannot be replayed.*nothing was changed/);
  fs.writeFileSync(where, bytes);
  assert.deepEqual(fs.readdirSync(data).filter((name) => name.startsWith('history')), ['history']);
  await check('the log was damaged');
});
