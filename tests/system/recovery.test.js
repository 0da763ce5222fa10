// How a node comes back: with its history gone, from a copy of its directory, and from what `hanse verify` left alone.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { filesBelow, run, startNode, until, workFolder } from './support/node.js';
import { accounts, developmentChain, sign, stranger } from './support/wallets.js';

const args = ['--log-segment', '8', '--snapshot-frames', '0', '--snapshot-every-frames', '0', '--snapshot-rate', '0'];

async function pay(node, count) {
  let nonce = await node.nonce(accounts[1].address);
  for (const end = nonce + count; nonce < end; nonce++)
    await node.call('eth_sendRawTransaction', [sign(accounts[1], { chainId: developmentChain, nonce, to: stranger(7), value: 1n })]);
  await until(async () => Number(await node.call('eth_blockNumber')) === nonce, 'all blocks are seen');
  return nonce;
}

async function snapshot(node) {
  const { rounds } = await node.stats('/hanse/snapshots,now');
  await until(async () => (await node.stats('/hanse/snapshots')).rounds > rounds, 'a round of snapshots is over');
}

test('a lost history does not hold up the start when the log is long', async (t) => {
  const data = path.join(workFolder(t), 'data');
  let node = await startNode(t, { data, args });
  for (let i = 0; i < 3; i++) {
    await pay(node, 10);
    await snapshot(node);
  }
  const count = await pay(node, 5);
  await node.stop('SIGKILL');
  const history = path.join(data, 'history');
  for (const damage of [() => fs.rmSync(history, { recursive: true }), () => fs.writeFileSync(path.join(history, 'data.mdb'), 'rubbish')]) {
    damage();
    node = await startNode(t, { data, args: [...args, '--history-rebuild', '0'] });
    // Behind the one before the newest: 15 of 35 blocks.
    assert.match(node.stderr, /the block history is not complete.*begins again behind block 20.*hanse reindex/);
    assert.match(node.stderr, /replayed 15 frames/);
    assert.equal(await node.balance(stranger(7)), BigInt(count));
    assert.equal((await node.call('eth_getBlockByNumber', ['latest', false])).number, `0x${count.toString(16)}`);
    assert.equal((await node.call('eth_getBlockByNumber', ['0x15', false])).transactions.length, 1);
    assert.equal((await node.ask('eth_getBlockByNumber', ['0x5', false])).error.code, 4444);
    await node.stop('SIGKILL');
  }
  // The next start begins at the newest snapshot, and has what the one before had.
  node = await startNode(t, { data, args: [...args, '--history-rebuild', '0'] });
  assert.match(node.stderr, /replayed 5 frames/);
  assert.equal((await node.call('eth_getBlockByNumber', ['0x15', false])).transactions.length, 1);
  assert.equal((await node.stop()).code, 0);

  const rebuilt = await run(['reindex', '--data', data]);
  assert.equal(rebuilt.code, 0, rebuilt.stderr);
  node = await startNode(t, { data, args });
  assert.doesNotMatch(node.stderr, /not complete/);
  assert.equal((await node.call('eth_getBlockByNumber', ['0x5', false])).transactions.length, 1);
  assert.equal(await node.balance(stranger(7)), BigInt(count));
  assert.equal((await node.stop()).code, 0);
  assert.equal((await run(['verify', '--data', data])).code, 0);

  // While the log is short, the start makes all of it.
  fs.rmSync(history, { recursive: true });
  node = await startNode(t, { data, args });
  assert.match(node.stderr, /replaying the whole log/);
  assert.equal((await node.call('eth_getBlockByNumber', ['0x5', false])).transactions.length, 1);
});

// Everything that a copy, a listing or a checksum tells of a folder.
function look(folder) {
  const found = {};
  for (const entry of ['.', ...fs.readdirSync(folder, { recursive: true })].sort()) {
    const { ino, size, mtimeNs, ctimeNs } = fs.statSync(path.join(folder, entry), { bigint: true });
    found[entry] = `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  }
  return { found, files: filesBelow(folder) };
}

test('an audit changes nothing, whether a node was stopped, killed, or copied while it ran', async (t) => {
  const folder = workFolder(t);
  const data = path.join(folder, 'data');
  const running = path.join(folder, 'running');
  let node = await startNode(t, { data, args });
  const count = await pay(node, 20);
  // On this boot, with all that the node has open.
  fs.cpSync(data, running, { recursive: true });
  await snapshot(node);
  await node.stop('SIGKILL');
  const killed = path.join(folder, 'killed');
  fs.renameSync(data, killed);
  node = await startNode(t, { data: killed, args });
  assert.doesNotMatch(node.stderr, /could not be trusted/, 'moved, not copied');
  await node.stop('SIGKILL');
  const stopped = path.join(folder, 'stopped');
  fs.cpSync(killed, stopped, { recursive: true });
  node = await startNode(t, { data: stopped, args });
  assert.match(node.stderr, /could not be trusted.*history.marker: the store was in use .* when it was copied/s);
  await node.stop();

  for (const [which, compared] of [[running, 0], [killed, count], [stopped, count]]) {
    const before = look(which);
    const audit = await run(['verify', '--data', which]);
    assert.equal(audit.code, 0, `${which}: ${audit.stdout}${audit.stderr}`);
    assert.match(audit.stdout, new RegExp(`${compared} blocks compared with the history`), which);
    assert.equal(/note: history.marker: the store was in use .*copied/.test(audit.stderr), which === running, audit.stderr);
    assert.deepEqual(look(which), before, which);
  }
  node = await startNode(t, { data: running, args });
  assert.match(node.stderr, /history.marker: the store was in use .* when it was copied/);
  assert.match(node.stderr, /replayed 20 frames/);
  assert.equal(await node.balance(stranger(7)), BigInt(count));
  for (let number = 1; number <= count; number++)
    assert.equal((await node.call('eth_getBlockByNumber', [`0x${number.toString(16)}`, false])).transactions.length, 1);
  assert.equal((await node.stop()).code, 0);
  const audit = await run(['verify', '--data', running]);
  assert.match(audit.stdout, new RegExp(`${count} blocks compared with the history(.|\n)*Everything agrees`), audit.stderr);
});
