// Mistakes in configuration and command lines: what is wrong, and where; and help everywhere.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { genesis } from './support/genesis.js';
import { refusedNode, run, startNode, workFolder } from './support/node.js';

test('mistakes in the configuration file are told with file and line', async (t) => {
  const folder = workFolder(t);
  const file = path.join(folder, 'hanse.yaml');
  const mistakes = [
    ['dev: true\nshoe_size: 46\n', 2, /unknown key "shoe_size"/],
    ['rpc:\n  port: 0\n  prot: 1\n', 3, /unknown key "rpc\.prot"/],
    ['unknown:\n  deep: 1\n', 2, /unknown key "unknown\.deep"/],
    ['dev: maybe\n', 1, /dev: "maybe" is neither true nor false/],
    ['dev: true\n\ncores: many\n', 3, /cores: "many" is not a number from 0 to 32/],
    ['cores: 33\n', 1, /cores: "33" is not a number from 0 to 32/],
    ['cores: -1\n', 1, /cores: "-1" is not a number/],
    ['cores: 99999999999999999999\n', 1, /is not a number/],
    ['rpc:\n  port: 65536\n', 2, /rpc\.port: "65536" is not a number from 0 to 65535/],
    ['cores:\n  - 1\n', 2, /cores: a plain value is expected/],
    ['cores: &a 1\nshards: *a\n', 2, /aliases are not supported/],
    ['- a\n- b\n', 1, /a mapping of keys to values is expected/],
    ['data: x\n bad: 1\n', 2, /./],
    ['dev: [\n', 1, /./],
    ['dev: "unfinished\n', null, /./],
    ['ledgers: yes\n', 1, /ledgers is a list/],
    ['ledgers:\n  - one\n', 2, /a ledger is a mapping with name and genesis/],
    ['ledgers:\n  - name: one\n', null, /a ledger needs a name and a genesis/],
    ['ledgers:\n  - name: "a/b"\n    genesis: x\n', 2, /"a\/b" is no ledger name/],
    ['ledgers:\n  - name: one\n    genesis: x\n    colour: red\n', 4, /unknown key "colour" of a ledger/],
    ['ledgers:\n  - name: one\n    genesis: x\n    shard: 99\n', 4, /shard: "99" is not a number from 0 to 15/],
    ['ledgers:\n  - name: one\n    genesis: x\n    strict: very\n', 4, /strict: "very" is neither true nor false/],
  ];
  for (const [text, line, what] of mistakes) {
    fs.writeFileSync(file, text);
    const answer = await refusedNode(t, ['--config', file, '--data', path.join(folder, 'data')]);
    assert.equal(answer.code, 2, `${text}: ${answer.stderr}`);
    assert.ok(answer.stderr.startsWith(`hanse: ${file}:${line ?? ''}`), `${text}: ${answer.stderr}`);
    if (line !== null) assert.ok(answer.stderr.startsWith(`hanse: ${file}:${line}: `), `${text}: ${answer.stderr}`);
    assert.match(answer.stderr, what);
  }
  assert.ok(!fs.existsSync(path.join(folder, 'data')), 'nothing was made');
});

test('the signature kernel can be forced, and is told', async (t) => {
  for (const kernel of ['libsecp256k1', 'auto']) {
    const node = await startNode(t, { args: ['--signature-kernel', kernel] });
    const told = (await node.stats('/hanse/signatures')).kernel;
    assert.ok(kernel === 'auto' ? ['avx512ifma', 'avx2', 'libsecp256k1'].includes(told) : told === kernel, told);
    assert.match(node.stdout, new RegExp(`signatures +${told}\\n`));
    assert.equal((await node.stats('/hanse/signatures')).exceptional, 0);
  }
  const answer = await refusedNode(t, ['--dev', '--signature-kernel', 'abacus']);
  assert.deepEqual([answer.code, /signature kernel "abacus": there is no such kernel/.test(answer.stderr)], [1, true], answer.stderr);
});

test('missing files are named', async (t) => {
  const folder = workFolder(t);
  const config = await refusedNode(t, ['--config', path.join(folder, 'none.yaml')]);
  assert.deepEqual([config.code, /none\.yaml: cannot be opened/.test(config.stderr)], [2, true], config.stderr);
  const isFolder = await refusedNode(t, ['--config', folder]);
  assert.equal(isFolder.code, 2, isFolder.stderr);
  assert.match(isFolder.stderr, new RegExp(folder));
  const missing = await refusedNode(t, ['--data', path.join(folder, 'data'), '--ledger', `a=${folder}/none.json`]);
  assert.deepEqual([missing.code, /none\.json: No such file or directory/.test(missing.stderr)], [1, true], missing.stderr);
});

test('mistakes on the command line are told, with exit status 2', async (t) => {
  for (const [args, what] of [
    [['--shoe-size', '46'], /unknown option --shoe-size; --help lists them/],
    [['--cores', 'x'], /cores: "x" is not a number from 0 to 32/],
    [['--cores'], /--cores needs a value/],
    [['--dev=perhaps'], /dev: "perhaps" is neither true nor false/],
    [['stray'], /unexpected "stray"/],
    [['--ledger', 'nogenesis'], /--ledger takes NAME=GENESIS/],
    [['--ledger', 'a/b=c'], /--ledger takes NAME=GENESIS/],
    [['--ledger', 'a=b,fast'], /--ledger a: unknown option "fast"/],
    [['--no-cores'], /unknown option --no-cores/],
    [[], /--data DIRECTORY is needed/],
  ]) {
    const answer = await run(['node', '--rpc-port', '0', '--udp-listen', 'none', ...args]);
    assert.equal(answer.code, 2, `${args}: ${answer.stderr}`);
    assert.match(answer.stderr, what);
    assert.equal(answer.stdout, '');
  }
  for (const args of [[], ['fly'], ['init'], ['init', '--what'], ['verify'], ['verify', 'x'], ['stats', 'x'], ['load', '--what', '1'], ['load', '--count', 'x'], ['evm', 'what']]) {
    const answer = await run(args);
    assert.equal(answer.code, 2, `${args}: ${answer.stderr}`);
    assert.notEqual(answer.stderr, '');
  }
});

test('values that only the node can judge are refused clearly', async (t) => {
  const folder = workFolder(t);
  const file = path.join(folder, 'g.json');
  fs.writeFileSync(file, genesis({ chainId: 5 }));
  const data = path.join(folder, 'data');
  const empty = await refusedNode(t, ['--data', path.join(folder, 'empty')]);
  assert.deepEqual([empty.code, /there is no ledger: make one with `hanse init`/.test(empty.stderr)], [1, true], empty.stderr);
  const shard = await refusedNode(t, ['--data', data, '--ledger', `a=${file},shard=3`]);
  assert.deepEqual([shard.code, /shard that does not exist/.test(shard.stderr)], [1, true], shard.stderr);
  for (const address of ['nonsense', '127.0.0.1', '127.0.0.1:x', '192.0.2.1:5000']) {
    const udp = await refusedNode(t, ['--data', data, '--ledger', `a=${file}`, '--udp-listen', address]);
    assert.equal(udp.code, 1, address);
    assert.match(udp.stderr, /packet port: /, address);
  }
  for (const address of ['192.0.2.1']) {
    const rpc = await refusedNode(t, ['--data', data, '--ledger', `a=${file}`, '--rpc-address', address]);
    assert.equal(rpc.code, 1, address);
    assert.match(rpc.stderr, /cannot listen on /, address);
  }
});

test('ports that are taken are named', async (t) => {
  const node = await startNode(t);
  const data = workFolder(t);
  const rpc = await refusedNode(t, ['--dev', '--data', `${data}/a`, '--rpc-port', String(node.rpcPort)]);
  assert.equal(rpc.code, 1);
  assert.match(rpc.stderr, new RegExp(`cannot listen on 127.0.0.1 port ${node.rpcPort}: Address already in use`));
  const udp = await refusedNode(t, ['--dev', '--data', `${data}/b`, '--udp-listen', `127.0.0.1:${node.udpPort}`]);
  assert.equal(udp.code, 1);
  assert.match(udp.stderr, /packet port: .*in use/);
  assert.equal(await node.call('eth_chainId'), '0x7a69');
});

test('every command has help that names its options', async () => {
  const expected = {
    '': ['node', 'init', 'verify', 'stats', 'load', 'evm', '--dev'],
    node: ['--config', '--ledger', '--data', '--dev', '--cores', '--shards', '--polling', '--rpc-port', '--udp-listen', '--pool-gapped', '--log-segment', 'default 8545', 'exit status'],
    init: ['--data', '--genesis', '--ledger', '--strict'],
    verify: ['--data', '--resume', '--progress', 'Exit status: 0', '1 there are findings'],
    reindex: ['--data'],
    stats: ['--name', '--json', '/COMMAND'],
    load: ['--workload', '--target', '--count', '--rate', '--window', '--senders', '--seed', '--json', '--save-state', '--check-state'],
    evm: ['run', 'statetest', 'blocktest', 'txtest', 'rlptest', 'trietest'],
    'evm statetest': ['--fork'],
    'evm run': ['run'],
    'evm blocktest': ['--fork'],
    'evm txtest': ['--fork'],
    'evm rlptest': ['--filter'],
    'evm trietest': ['--filter'],
    'evm t8n': ['usage'],
  };
  for (const [command, words] of Object.entries(expected)) {
    for (const flag of ['--help', '-h']) {
      const answer = await run([...command.split(' ').filter(Boolean), flag]);
      assert.equal(answer.code, 0, `${command} ${flag}: ${answer.stderr}`);
      for (const word of words) assert.ok(answer.stdout.includes(word), `${command} ${flag} says nothing of ${word}`);
    }
  }
  const version = await run(['--version']);
  assert.deepEqual([version.code, /^hanse \d+\.\d+\.\d+\n$/.test(version.stdout)], [0, true]);
});

test('`hanse stats` says so when there is no node, or no such command', async (t) => {
  const none = await run(['stats', '--name', 'hanse-system-nobody']);
  assert.deepEqual([none.code, none.stderr], [1, 'hanse stats: no running node named hanse-system-nobody found\n']);
  const node = await startNode(t);
  const wrong = await run(['stats', '--name', node.name, '/hanse/nothing']);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /\/hanse\/nothing: unknown command or parameter/);
  const ledger = await run(['stats', '--name', node.name, '/hanse/ledger,nobody']);
  assert.equal(ledger.code, 1, ledger.stdout);
  const all = await run(['stats', '--name', node.name]);
  assert.equal(all.code, 0, all.stderr);
  for (const name of ['/hanse/stages', '/hanse/queues', '/hanse/latency', '/hanse/log', '/hanse/ledger', '/hanse/verdicts', '/hanse/port', '/hanse/wire', '/hanse/cores'])
    assert.ok(all.stdout.includes(name), name);
  const list = await run(['stats', '--name', node.name, '--json', '/']);
  assert.ok(JSON.parse(list.stdout)['/'].includes('/hanse/stages'));
});
