// eth_getLogs: by address and topic over everything there is, its caps, and others who are answered meanwhile.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startNode, until, workFolder } from './support/node.js';
import { accounts, sign } from './support/wallets.js';

// Emits as many logs as the first word of the call says: topics 0xaa and the number of the log.
const runtime = '60005b806000351115601a578060aa60206000a26001016002565b00';
const creation = '0x601c600c600039601c6000f3' + runtime;
const word = (number) => '0x' + number.toString(16).padStart(64, '0');
const each = 500;

async function emit(node, nonce, rounds, contract) {
  const hashes = [];
  for (let i = 0; i < rounds; i++)
    hashes.push(await node.call('eth_sendRawTransaction', [
      sign(accounts[0], { nonce: nonce + i, to: contract, value: 0n, gasLimit: 2_000_000n, data: word(each) }),
    ]));
  for (const hash of hashes) {
    const receipt = await until(() => node.call('eth_getTransactionReceipt', [hash]), 'a receipt');
    assert.equal(receipt.status, '0x1');
    assert.equal(receipt.logs.length, each);
  }
}

async function deploy(node) {
  const hash = await node.call('eth_sendRawTransaction', [
    sign(accounts[0], { nonce: 0, to: null, value: 0n, gasLimit: 200_000n, data: creation }),
  ]);
  return (await until(() => node.call('eth_getTransactionReceipt', [hash]), 'a receipt')).contractAddress;
}

test('logs are found by address and topic, also after restarts', async (t) => {
  const data = workFolder(t);
  let node = await startNode(t, { data });
  const contract = await deploy(node);
  await emit(node, 1, 12, contract);
  const all = { fromBlock: 'earliest', toBlock: 'latest' };
  const check = async (rounds) => {
    const found = await node.call('eth_getLogs', [{ ...all, address: contract, topics: [word(0xaa), word(77)] }]);
    assert.equal(found.length, rounds);
    const places = found.map((log) => [Number(log.blockNumber), Number(log.logIndex)]);
    assert.deepEqual(places, [...places].sort((a, b) => a[0] - b[0] || a[1] - b[1]));
    for (const log of found) assert.deepEqual(log.topics, [word(0xaa), word(77)]);
    assert.equal((await node.call('eth_getLogs', [{ ...all, topics: [null, [word(3), word(each)]] }])).length, rounds);
    assert.deepEqual(await node.call('eth_getLogs', [{ ...all, topics: [word(77)] }]), []);
    assert.deepEqual(await node.call('eth_getLogs', [{ ...all, address: '0x' + '11'.repeat(20) }]), []);
  };
  await check(12);
  for (const [signal, rounds] of [['SIGTERM', 13], ['SIGKILL', 14]]) {
    await node.stop(signal);
    node = await startNode(t, { data });
    await check(rounds - 1);
    await emit(node, rounds, 1, contract);
    await check(rounds);
  }
});

test('ranges and results are capped, and nobody waits for a long query', async (t) => {
  const node = await startNode(t, { args: ['--rpc-logs', '5000', '--rpc-logs-range', '100'] });
  const contract = await deploy(node);
  await emit(node, 1, 10, contract);
  const head = await node.call('eth_blockNumber');
  const error = async (filter) => {
    const { error } = await node.ask('eth_getLogs', [filter]);
    return [error?.code, error?.message];
  };
  const recent = { fromBlock: '0x0', toBlock: head, address: contract };
  assert.equal((await node.call('eth_getLogs', [recent])).length, 5000);
  await emit(node, 11, 1, contract);
  assert.deepEqual(await error({ ...recent, toBlock: 'latest' }), [-32005, 'query returned more than 5000 results']);
  assert.deepEqual(await error({ fromBlock: '0x2', toBlock: '0x1' }), [-32602, 'invalid block range params']);
  assert.deepEqual(await node.call('eth_getLogs', [{ toBlock: '0x1' }]), [], 'nothing lies between the newest block and that');
  assert.deepEqual(await error({ fromBlock: '0x0', toBlock: '0xffff' }), [-32602, 'block range extends beyond current head block']);

  // Many long queries at once, some of them in one batch, and some whose clients go.
  const long = { jsonrpc: '2.0', id: 1, method: 'eth_getLogs', params: [recent] };
  const queries = [node.post(JSON.stringify(Array.from({ length: 5 }, (_, id) => ({ ...long, id }))))];
  for (let i = 0; i < 20; i++) queries.push(node.post(JSON.stringify(long)));
  const raw = sign(accounts[1], { nonce: 0 });
  const sent = node.call('eth_sendRawTransaction', [raw]);
  let isOver = false;
  const over = Promise.all(queries).then((answers) => ((isOver = true), answers));
  assert.equal(await node.call('eth_chainId'), '0x7a69');
  assert.equal(isOver, false, 'a short call waited for all the queries');
  await sent;
  const [batch, ...single] = await over;
  for (const answer of JSON.parse(batch.text)) assert.equal(answer.result.length, 5000);
  for (const answer of single) assert.equal(JSON.parse(answer.text).result.length, 5000);

  const filter = await node.call('eth_newFilter', [recent]);
  const [logs] = await Promise.all([node.call('eth_getFilterLogs', [filter]), node.call('eth_uninstallFilter', [filter])]);
  assert.equal(logs.length, 5000);
});

test('a range above the cap is refused', async (t) => {
  const node = await startNode(t, { args: ['--rpc-logs-range', '2'] });
  for (let nonce = 0; nonce < 3; nonce++) {
    const hash = await node.call('eth_sendRawTransaction', [sign(accounts[0], { nonce })]);
    await until(() => node.call('eth_getTransactionReceipt', [hash]), 'a receipt');
  }
  const ask = (fromBlock, toBlock) => node.ask('eth_getLogs', [{ fromBlock, toBlock }]);
  assert.deepEqual((await ask('0x0', '0x1')).result, []);
  const { error } = await ask('0x0', '0x2');
  assert.deepEqual([error.code, error.message], [-32602, 'exceed maximum block range: 2']);
});
