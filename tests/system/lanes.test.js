// Heavy calls have a lane of their own: while some never end, transactions, reads and short calls go on as before.
import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';

import { defer, patience, startNode, until } from './support/node.js';
import { accounts, sign, stranger } from './support/wallets.js';

const address = stranger(77);
const endless = { [address]: { code: '0x5b5f56' } }; // JUMPDEST PUSH0 JUMP
const gas = '0xffffffffff';
const timeout = 1500 * patience;

// A connection of its own, one request at a time.
function connect(t, node) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  defer(t, () => agent.destroy());
  let number = 0;
  return (method, params) =>
    new Promise((resolve, reject) => {
      const request = http.request(
        { agent, host: '127.0.0.1', port: node.rpcPort, method: 'POST', headers: { 'content-type': 'application/json' } },
        (response) => {
          let text = '';
          response.on('data', (data) => (text += data));
          response.on('end', () => resolve(JSON.parse(text)));
        },
      );
      request.on('error', reject);
      request.end(JSON.stringify({ jsonrpc: '2.0', id: ++number, method, params }));
    });
}

const heavy = [
  (ask) => ask('eth_call', [{ to: address, gas }, 'latest', endless]),
  (ask) => ask('debug_traceCall', [{ to: address, gas }, 'latest', { tracer: 'callTracer', stateOverrides: endless }]),
  (ask) => ask('eth_simulateV1', [{ blockStateCalls: [{ stateOverrides: endless, calls: [{ to: address, gas }], blockOverrides: { gasLimit: gas } }] }, 'latest']),
];

// p50 and p99 of `count` calls in milliseconds, one after the other.
async function measure(count, once) {
  const times = [];
  for (let i = 0; i < count; i++) {
    const begin = process.hrtime.bigint();
    await once(i);
    times.push(Number(process.hrtime.bigint() - begin) / 1e6);
  }
  times.sort((a, b) => a - b);
  const at = (part) => times[Math.min(count - 1, Math.floor(count * part))];
  return { p50: at(0.5), p99: at(0.99), max: times[count - 1] };
}

test('endless calls and traces delay neither transactions nor reads', async (t) => {
  const node = await startNode(t, {
    args: ['--rpc-gas-cap', '1000000000000', '--rpc-timeout-call', String(timeout)],
  });
  const probe = connect(t, node);
  let nonce = 0;
  const kinds = {
    eth_sendRawTransaction: async () => {
      const answer = await probe('eth_sendRawTransaction', [sign(accounts[0], { nonce: nonce++ })]);
      assert.ok(answer.result, JSON.stringify(answer));
    },
    eth_getBalance: async () => assert.ok((await probe('eth_getBalance', [accounts[1].address, 'latest'])).result),
    eth_call: async () => assert.equal((await probe('eth_call', [{ to: stranger(1) }, 'latest'])).result, '0x'),
  };
  const count = 150;
  const idle = {};
  for (const [name, once] of Object.entries(kinds)) idle[name] = (await measure(20, once), await measure(count, once));

  let isOver = false;
  const answers = [];
  const keepBusy = async (ask, call) => {
    while (!isOver) answers.push(await call(ask));
  };
  const busy = Array.from({ length: 4 }, (_, i) => keepBusy(connect(t, node), heavy[i % heavy.length]));
  await until(async () => (await node.stats('/hanse/calls')).stragglers >= 4, 'heavy calls run');
  const loaded = {};
  for (const [name, once] of Object.entries(kinds)) loaded[name] = await measure(count, once);
  isOver = true;
  await Promise.all(busy);

  const show = (figures) => Object.entries(figures).map(([key, value]) => `${key} ${value.toFixed(2)}`).join(', ');
  for (const name of Object.keys(kinds)) {
    console.log(`${name}: idle ${show(idle[name])} ms; beside 4 endless calls ${show(loaded[name])} ms`);
    assert.ok(loaded[name].p50 < 300 * patience, `${name} waits: ${show(loaded[name])}`);
    assert.ok(loaded[name].p99 < 1200 * patience, `${name} waits: ${show(loaded[name])}`);
  }
  assert.ok(answers.length >= 4, JSON.stringify(answers));
  for (const { error } of answers) {
    assert.equal(error.code, -32000, error.message);
    assert.ok(['execution timeout', `execution aborted (timeout = ${timeout / 1000}s)`].includes(error.message), error.message);
  }
  const stats = await node.stats('/hanse/calls');
  assert.equal(stats.timeouts, answers.length);
  assert.ok(stats.slowed >= answers.length);
});

test('one who asks for much waits behind himself; what is too much is refused at once', async (t) => {
  const node = await startNode(t, {
    args: ['--rpc-gas-cap', '1000000000000', '--rpc-timeout-call', String(timeout), '--rpc-batch', '6000'],
  });
  const call = (id) => ({ jsonrpc: '2.0', id, method: 'eth_call', params: [{ to: address, gas }, 'latest', endless] });
  const batch = node.post(JSON.stringify(Array.from({ length: 5000 }, (_, id) => call(id))));
  await until(async () => (await node.stats('/hanse/calls')).refused > 0, 'the queue is full');
  const other = connect(t, node);
  const { max } = await measure(20, async () => assert.equal((await other('eth_call', [{ to: stranger(1) }, 'latest'])).result, '0x'));
  console.log(`eth_call beside a batch of 5,000 endless calls: max ${max.toFixed(2)} ms`);
  assert.ok((await node.stats('/hanse/calls')).stragglers > 0, 'while the batch still ran');
  const answers = JSON.parse((await batch).text);
  assert.equal(answers.length, 5000);
  const refused = answers.filter((one) => one.error.code === -32005).length;
  assert.equal(answers.filter((one) => one.error.code === -32000).length, 5000 - refused);
  assert.ok(refused > 3900 && refused < 4000, String(refused));
});

test('a node stops at once, whatever calls run', async (t) => {
  const node = await startNode(t, { args: ['--rpc-gas-cap', '1000000000000', '--rpc-timeout-call', '600000'] });
  const calls = heavy.map((call) => call(connect(t, node)).catch(() => {}));
  await until(async () => (await node.stats('/hanse/calls')).running >= 2, 'heavy calls run');
  const began = Date.now();
  assert.deepEqual(await node.stop(), { code: 0, signal: null });
  assert.ok(Date.now() - began < 20000 * patience);
  await Promise.all(calls);
});
