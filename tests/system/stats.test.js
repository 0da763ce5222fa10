// The stats socket: every name is documented, every documented name is there, and DPDK's own client reads it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';

import { Sender } from './support/datagrams.js';
import { binary, defer, run, startNode, until } from './support/node.js';
import { accounts, sign } from './support/wallets.js';

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../..');
const read = (file) => fs.readFileSync(path.join(root, file), 'utf8');

// The names in one X-macro of a header.
const listed = (file, macro) => [...new RegExp(`define ${macro}\\(X\\)([^]*?)\\n\\n`).exec(read(file))[1].matchAll(/X\((\w+),/g)].map(([, name]) => name);

// Each command of the table in pipeline/stats/README.md, with a pattern for each name that it documents.
function documented() {
  const commands = new Map();
  for (const line of read('pipeline/stats/README.md').split('\n')) {
    const row = /^\| `(\/hanse\/[^`]+)` \| (.*) \|$/.exec(line);
    if (!row) continue;
    const names = [...row[2].matchAll(/`([^`]+)`/g)].map(([, name]) => name).filter((name) => !name.startsWith('-'));
    if (row[1] === '/hanse/port') names.push(...listed('pipeline/port/port.h', 'HN_PORT_COUNTER_LIST'));
    if (row[1] === '/hanse/wire') names.push(...listed('pipeline/wire/server.h', 'HN_WIRE_COUNTER_LIST'));
    const patterns = names.flatMap((name) => {
      const choices = /^(.*)\{(.*)\}(.*)$/.exec(name);
      return choices ? choices[2].split(',').map((choice) => choices[1] + choice + choices[3]) : [name];
    });
    commands.set(row[1], patterns.map((name) => new RegExp('^' + name.replace('*', '\\w+').replace('N_', '\\d+_').replace('STAGE', '[a-z]+') + '$')));
  }
  return commands;
}

test('every name of the stats socket is documented, and every documented name is there', async (t) => {
  const node = await startNode(t, { args: ['--cores', '3', '--shards', '2'] });
  const commands = documented();
  assert.ok(commands.size >= 12, `${commands.size} commands are documented`);
  const list = Object.values(await node.stats('/').then((names) => names)).filter((name) => name.startsWith('/hanse/'));
  assert.deepEqual([...commands.keys()].filter((name) => !name.includes(',')).sort(), list.sort());
  for (const [command, patterns] of commands) {
    const names = Object.keys(await node.stats(command.replace('NAME', 'dev')));
    if (command === '/hanse/ledger') {
      assert.deepEqual(names, ['dev']);
      continue;
    }
    for (const name of names) assert.ok(patterns.some((pattern) => pattern.test(name)), `${command}: ${name} is not documented`);
    for (const pattern of patterns) assert.ok(names.some((name) => pattern.test(name)), `${command}: nothing is called ${pattern}`);
  }
});

test('counters count', async (t) => {
  const node = await startNode(t);
  const sender = new Sender(t, node.udpPort);
  for (let nonce = 0; nonce < 3; nonce++) assert.equal((await sender.submit(sign(accounts[0], { nonce }))).verdict, 'EXECUTED');
  await node.call('eth_sendRawTransaction', [sign(accounts[0], { nonce: 3 })]);
  await node.ask('no_such_method');
  const stages = await node.stats('/hanse/stages');
  assert.deepEqual([stages.received, stages.verified, stages.frames, stages.sealed, stages.replies], [4, 4, 4, 4, 4]);
  const ledger = await node.stats('/hanse/ledger,dev');
  assert.deepEqual([ledger.executed_block, ledger.published_block, ledger.transactions, ledger.gas_used], [4, 4, 4, 84000]);
  const log = await node.stats('/hanse/log');
  assert.deepEqual([log.last_index, log.durable_index, log.frames, log.bytes, log.segments], [4, 4, 4, 4 * 4096, 1]);
  const latency = await node.stats('/hanse/latency');
  assert.equal(latency.reply_count, 4);
  assert.ok(latency.reply_p50_us > 0 && latency.reply_p50_us <= latency.reply_max_us);
  const rpc = await node.stats('/hanse/rpc');
  assert.deepEqual([rpc.calls, rpc.errors, rpc.in_flight], [2, 1, 0]);
  assert.equal((await node.stats('/hanse/history')).waiting_blocks, 0);
});

test('connections above the bound are counted', async (t) => {
  const node = await startNode(t, { args: ['--rpc-connections', '2'] });
  const sockets = Array.from({ length: 5 }, () => net.connect(node.rpcPort, '127.0.0.1').on('error', () => {}));
  defer(t, () => sockets.forEach((socket) => socket.destroy()));
  await until(async () => (await node.stats('/hanse/rpc')).refused_connections === 3, 'three are refused');
  assert.equal((await node.stats('/hanse/rpc')).connections, 2);
});

test('dpdk-telemetry.py reads the same', async (t) => {
  const node = await startNode(t);
  const name = /hanse stats --name (\S+)/.exec(node.stdout)?.[1];
  assert.equal(name, node.name, 'the node says how to ask');
  const answer = await run(['--file-prefix', name], { command: 'dpdk-telemetry.py', input: '/hanse/history\n/hanse/ledger,dev\n' }).catch((error) => error);
  if (answer.code === 'ENOENT') return t.skip('there is no dpdk-telemetry.py');
  for (const command of ['/hanse/history', '/hanse/ledger,dev']) {
    const heard = answer.stdout.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)[command.split(',')[0]]).find(Boolean);
    assert.deepEqual(Object.keys(heard), Object.keys(await node.stats(command)), command);
  }
});

test('`hanse stats` says what it cannot do', async (t) => {
  for (const args of [['--name'], ['--what'], ['/a', '/b']]) {
    const answer = await run(['stats', ...args]);
    assert.deepEqual([answer.code, answer.stdout], [2, ''], `${args}`);
    assert.match(answer.stderr, /^hanse stats: /, binary);
  }
  assert.match((await run(['stats', '--name'])).stderr, /--name needs a value/);
});
