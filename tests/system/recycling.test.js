// A log that gives up its beginning: what it leaves, what a node and the offline commands make of that, and what is
// still damage.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { refusedNode, run, startNode, until, workFolder } from './support/node.js';
import { accounts, developmentChain, sign, stranger } from './support/wallets.js';

const args = ['--log-segment', '8', '--log-keep', '0', '--snapshot-every-frames', '40', '--snapshot-frames', '0', '--snapshot-rate', '0'];
const segmentsOf = (data) => fs.readdirSync(data).filter((name) => name.endsWith('.segment')).sort();
const padding = `0x${'00'.repeat(100000)}`;

// Payments that take much of the log, until it begins behind its first frame.
async function fill(node) {
  let nonce = await node.nonce(accounts[1].address);
  const end = nonce + 600;
  for (; nonce < end; nonce++) {
    const raw = sign(accounts[1], { chainId: developmentChain, nonce, to: stranger(7), value: 1n, data: padding, gasLimit: 4100000n });
    await node.call('eth_sendRawTransaction', [raw]);
    if (nonce % 20 === 0 && (await node.stats('/hanse/log')).first_index > 1) return nonce + 1;
  }
  return assert.fail(`after ${nonce} payments: ${JSON.stringify(await node.stats('/hanse/log'))} ${JSON.stringify(await node.stats('/hanse/snapshots'))}`);
}

test('the log gives up what two ways back do not need, and everything goes on', async (t) => {
  const data = path.join(workFolder(t), 'data');
  let node = await startNode(t, { data, args });
  const nonce = await fill(node);
  // The new beginning is told before the files before it are gone and counted.
  await until(async () => (await node.stats('/hanse/log')).segments_dropped >= 1, 'segments are dropped');
  const log = await node.stats('/hanse/log');
  assert.ok(!segmentsOf(data).includes('log-000000000001.segment'));
  assert.equal(segmentsOf(data).length >= log.segments, true);
  assert.equal(await node.balance(stranger(7)), BigInt(nonce));
  // The history has all of it still, also after kill -9.
  await until(async () => Number(await node.call('eth_blockNumber')) === nonce, 'all blocks are seen');
  await node.stop('SIGKILL');
  node = await startNode(t, { data, args });
  assert.equal(await node.balance(stranger(7)), BigInt(nonce));
  assert.equal((await node.call('eth_getBlockByNumber', ['0x1', false])).transactions.length, 1);
  assert.equal((await node.call('eth_getLogs', [{ fromBlock: '0x0', toBlock: 'latest' }])).length, 0);
  assert.equal((await node.stop()).code, 0);

  const audit = await run(['verify', '--data', data]);
  assert.equal(audit.code, 0, audit.stderr + audit.stdout);
  assert.match(audit.stderr, /note: the log gave up what lies before frame \d+: dev is audited from its snapshot/);
  assert.match(audit.stdout, /older blocks of the history have the right hashes and roots/);
  assert.match(audit.stdout, /Everything agrees/);

  const refused = await run(['reindex', '--data', data]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /--drop-older/);
  assert.equal((await run(['export', '--data', data, path.join(data, '..', 'all.rlp')])).code, 0);

  // A file of the middle that is gone is damage, and so is the first one.
  const segments = segmentsOf(data);
  for (const [at, words] of [[0, /missing: the log begins there|no snapshot is good|one is missing/], [1, /one is missing|missing/]]) {
    if (at + 1 >= segments.length) continue;
    fs.renameSync(path.join(data, segments[at]), path.join(data, 'aside'));
    const gone = await refusedNode(t, ['--dev', '--data', data, ...args]);
    assert.notEqual(gone.code, 0);
    assert.match(gone.stderr, words);
    fs.renameSync(path.join(data, 'aside'), path.join(data, segments[at]));
  }

  // Without its history: it begins again behind the oldest way back, and says what it has no more.
  fs.rmSync(path.join(data, 'history'), { recursive: true });
  const rebuilt = await run(['reindex', '--data', data]);
  assert.equal(rebuilt.code, 0, rebuilt.stderr);
  assert.match(rebuilt.stderr, /dev begins behind block \d+/);
  fs.rmSync(path.join(data, 'history'), { recursive: true });
  node = await startNode(t, { data, args });
  assert.match(node.stderr, /the history begins again behind block \d+/);
  assert.equal(await node.balance(stranger(7)), BigInt(nonce));
  assert.equal(Number(await node.call('eth_blockNumber')), nonce);
  for (const [method, params] of [
    ['eth_getBlockByNumber', ['0x1', false]],
    ['eth_getBlockReceipts', ['0x1']],
    ['debug_getRawBlock', ['0x1']],
    ['eth_getTransactionByBlockNumberAndIndex', ['0x1', '0x0']],
    ['eth_getLogs', [{ fromBlock: '0x0', toBlock: 'latest' }]],
  ]) {
    const answer = await node.ask(method, params);
    assert.deepEqual(answer.error, { code: 4444, message: 'pruned history unavailable' }, method);
  }
  assert.equal((await node.ask('eth_getBlockByNumber', ['0xfffff', false])).result, null);
  assert.equal((await node.call('eth_getBlockByNumber', ['0x0', false])).number, '0x0');
  assert.equal((await node.call('eth_feeHistory', ['0x400', 'latest', []])).oldestBlock !== '0x0', true);
  const raw = sign(accounts[1], { chainId: developmentChain, nonce, to: stranger(7), value: 1n });
  await node.call('eth_sendRawTransaction', [raw]);
  assert.equal(await node.balance(stranger(7)), BigInt(nonce + 1));
  assert.equal((await node.call('eth_getBlockByNumber', ['latest', false])).transactions.length, 1);
  assert.equal((await node.stop()).code, 0);
  const exported = await run(['export', '--data', data, path.join(data, '..', 'rest.rlp')]);
  assert.equal(exported.code, 1);
  assert.match(exported.stderr, /--first \d+/);
  assert.equal((await run(['verify', '--data', data])).code, 0);
});

test('a value that is neither "all" nor a number is refused', async (t) => {
  const refused = await refusedNode(t, ['--dev', '--data', path.join(workFolder(t), 'data'), '--log-keep', 'some']);
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /log.keep is "all" or a number of MiB/);
});
