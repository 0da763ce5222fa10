// The state at older blocks: recorded while each block was the newest, and the same after an orderly stop, after
// kill -9, when all of it is replayed from the log, and when hardly any memory is left for it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { run, startNode, workFolder } from './support/node.js';
import { accounts, gwei, sign, stranger } from './support/wallets.js';

const hex = (number) => '0x' + number.toString(16);
const word = (number) => number.toString(16).padStart(64, '0');

// Two words: stores the second at the first. One word: returns what is stored there.
const code = '36604014601057' + '5f35545f5260205ff3' + '5b6020355f355500';
const creation = '0x6018600a5f3960185ff3' + code;

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
