// Fast paths change how quickly something happens and nothing else: the log of one node, run again without them, gives
// the same blocks with the same roots.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { run, startNode, until, workFolder } from './support/node.js';

async function load(node, ...args) {
  const answer = await run(
    ['load', '--address', `127.0.0.1:${node.udpPort}`, '--rpc', node.url, '--senders', '16', '--threads', '1', ...args],
    { timeout: 120000 },
  );
  assert.equal(answer.code, 0, answer.stderr);
}

async function blocks(node) {
  const count = Number(await node.call('eth_blockNumber'));
  const all = [];
  for (let i = 0; i <= count; i++) {
    const block = await node.call('eth_getBlockByNumber', ['0x' + i.toString(16), false]);
    all.push([block.hash, block.stateRoot, block.receiptsRoot]);
  }
  return all;
}

// The data directory with nothing but the log in it: everything is executed again.
function withLogAlone(source, copy) {
  fs.cpSync(source, copy, { recursive: true });
  for (const name of fs.readdirSync(copy))
    if (name === 'history' || name.endsWith('.snapshot')) fs.rmSync(path.join(copy, name), { recursive: true });
  return copy;
}

test('a log run again without fast paths gives the same blocks', { timeout: 300000 }, async (t) => {
  const folder = workFolder(t);
  const data = path.join(folder, 'data');
  const node = await startNode(t, { data, args: ['--snapshot-frames', '0'] });
  for (const workload of ['transfer', 'hot', 'erc20', 'swap'])
    await load(node, '--workload', workload, '--count', '3000', '--hints', '--seed', workload.length.toString());
  await load(node, '--count', '6000', '--recipients', '2000', '--seed', '77');
  const made = await blocks(node);
  assert.ok(made.length > 20, `${made.length} blocks`);
  assert.equal((await node.stop()).code, 0);

  const ways = [['--no-fast-paths'], ['--signature-kernel', 'libsecp256k1', '--pool-known-senders', '0'], []];
  for (const [index, args] of ways.entries()) {
    const again = await startNode(t, { data: withLogAlone(data, path.join(folder, `again-${index}`)), args });
    await until(async () => Number(await again.call('eth_blockNumber')) >= made.length - 1, 'all is back', 60000);
    assert.deepEqual(await blocks(again), made, args.join(' '));
    assert.equal((await again.stop()).code, 0);
  }
});
