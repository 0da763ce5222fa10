// kill -9 and other signals at random moments under load, again and again: what was acknowledged is there.
// HANSE_CRASH_ROUNDS sets how many rounds, HANSE_SEED which; `crash_rounds.js` runs many.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { Client, crashRounds, generator } from './support/crashes.js';
import { genesis } from './support/genesis.js';
import { run, sleep, startNode, until, workFolder } from './support/node.js';

const rounds = Number(process.env.HANSE_CRASH_ROUNDS ?? 6);
const seed = Number(process.env.HANSE_SEED ?? Date.now() % 1000000);

test(`nothing acknowledged is lost by crashes under load (HANSE_SEED=${seed})`, async (t) => {
  const counts = await crashRounds(t, { rounds, seed });
  assert.ok(counts.acknowledged > 15 * rounds, `only ${counts.acknowledged} transactions in ${rounds} rounds`);
  assert.ok(counts.made > 500 * rounds, `the load generator made only ${counts.made} transactions`);
  t.diagnostic(JSON.stringify(counts));
});

test(`nothing acknowledged is lost by kill -9 on two ledgers and shards (HANSE_SEED=${seed})`, async (t) => {
  const random = generator(seed);
  const folder = workFolder(t);
  const args = ['--data', path.join(folder, 'data'), '--shards', '2'];
  const clients = [];
  for (const [index, name] of ['one', 'two'].entries()) {
    const chainId = 801 + index;
    fs.writeFileSync(path.join(folder, name), genesis({ chainId }));
    args.push('--ledger', `${name}=${path.join(folder, name)}`);
    for (const account of [0, 1, 2]) clients.push(new Client(account, { chainId, where: `/${name}`, random }));
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
