// Fail the N-th allocation, each in its turn, from the first instruction to the orderly end. The program must end with
// a word and exit status 1, or go on; and the same without a failure must work afterwards.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';

import { Client, generator } from './crashes.js';
import { genesis } from './genesis.js';
import { binary, Node, run, until } from './node.js';
import { hashOf, sign } from './wallets.js';

const beside = (name) => path.join(path.dirname(binary), '../../tests/system/memory', name);
const failing = process.env.HANSE_FAILING || beside('hanse_failing');
const libraries = process.env.HANSE_FAILING_LIBRARIES || beside('libfailing_libraries.so');

// memory/failing.c: three numbers, a name, and places.
const placesAt = 3 * 8 + 64;
const placesMax = 1 << 18;

const nodeArgs = ['--cores', '2', '--log-segment', '8', '--snapshot-frames', '8', '--snapshot-every-frames', '10'];

// Libraries that end the program themselves when there is no memory, on purpose: README.md.
export const endsByItself = /^(libh2o-evloop|libgmp|libsecp256k1)/;

export class NthAllocation {
  constructor(t, folder, { seed = 1, ofLibraries = false } = {}) {
    this.test = t;
    this.folder = folder;
    this.random = generator(seed);
    this.ofLibraries = ofLibraries;
    this.trials = 0;
    this.genesis = path.join(folder, 'genesis.json');
    fs.writeFileSync(this.genesis, genesis({ chainId: 31337 }));
  }

  async begin() {
    const data = path.join(this.folder, 'template');
    this.written = new Client(0, { random: this.random, overRpc: true });
    const node = this.node(data, {});
    await node.ready();
    for (let i = 0; i < 30; i++) await this.pay(node, this.written);
    await node.stop('SIGKILL');
    const created = path.join(this.folder, 'created');
    this.blocks = path.join(this.folder, 'blocks');
    fs.cpSync(data, `${created}.1`, { recursive: true });
    assert.equal((await run(['export', '--data', `${created}.1`, this.blocks])).code, 0);
    const made = await run(['init', '--data', created, '--ledger', 'one', '--genesis', this.genesis]);
    assert.equal(made.code, 0, made.stderr);
    this.madeWord = made.stdout;
    return this;
  }

  // How the program is run so that its N-th allocation fails.
  surroundings(control) {
    const env = { HANSE_FAIL_FILE: control };
    if (this.ofLibraries) env.LD_PRELOAD = libraries;
    return env;
  }

  get program() {
    return this.ofLibraries ? binary : failing;
  }

  node(data, options, program = binary) {
    return new Node(['--data', data, '--ledger', `one=${this.genesis}`, ...nodeArgs], { ...options, program });
  }

  async pay(node, client) {
    const raw = sign(client.wallet, { chainId: client.chainId, nonce: client.raws.length, to: client.recipient, value: 1n });
    client.raws.push(raw);
    const block = await client.sendOverRpc(node, raw);
    if (block !== null) client.acknowledged.set(hashOf(raw), block);
    return block !== null;
  }

  async useNode({ data, env, client }) {
    const node = this.node(data, { env }, this.program);
    try {
      await until(() => node.end || node.stdout.includes('Stop with Ctrl-C'), 'the node starts or gives up', 30000);
      if (!node.end) {
        await node.ready();
        for (let i = 0; i < 2 && !node.end && (await this.pay(node, client)); i++);
        if (!node.end) await node.stop();
      }
    } finally {
      if (!node.end) await node.stop('SIGKILL');
    }
    return { ...node.end, stderr: node.stderr, stdout: '' };
  }

  async checkNode({ data, client }) {
    const node = await this.node(data, {}).ready();
    try {
      await client.check(node);
      assert.deepEqual(await node.stop(), { code: 0, signal: null }, node.stderr);
    } finally {
      if (!node.end) await node.stop('SIGKILL');
    }
  }

  async checkCommand(trial) {
    const again = await run(trial.args);
    assert.ok(again.code === 0 || /there is a ledger one already/.test(again.stderr), again.stderr);
    const audit = await run(['verify', '--data', trial.data]);
    assert.deepEqual([audit.code, /Everything agrees/.test(audit.stdout)], [0, true], audit.stdout + audit.stderr);
  }

  // One trial; `n` null: nothing fails. Gives how many calls there were and where they came from.
  async try(name, n) {
    const scenario = scenarios[name];
    const folder = path.join(this.folder, `trial-${this.trials++}`);
    const data = path.join(folder, 'data');
    const control = path.join(folder, 'control');
    const client = new Client(0, { random: this.random, overRpc: true });
    fs.mkdirSync(folder);
    if (scenario.template) fs.cpSync(path.join(this.folder, scenario.template), data, { recursive: true });
    if (scenario.template === 'template') {
      client.raws = [...this.written.raws];
      client.acknowledged = new Map(this.written.acknowledged);
    }
    const first = Buffer.alloc(placesAt + 4 * placesMax);
    first.writeBigUInt64LE(BigInt(n ?? 0), 8);
    fs.writeFileSync(control, first);
    const env = this.surroundings(control);
    const trial = { data, env, client, args: scenario.args?.(this, data, folder) };
    try {
      const end = await (trial.args ? run(trial.args, { command: this.program, env }) : this.useNode(trial));
      const told = fs.readFileSync(control);
      const hasFailed = told.readBigUInt64LE(16) !== 0n;
      const library = told.toString('latin1', 24, placesAt).replace(/\0.*/s, '');
      const count = Number(told.readBigUInt64LE(0));
      const place = hasFailed ? told.readUInt32LE(placesAt + 4 * (n - 1)).toString(16) : '';
      const what = `${name}, allocation ${n} (${library} 0x${place})`;
      const byLibrary = this.ofLibraries && endsByItself.test(library) && ['SIGABRT', 'SIGSEGV'].includes(end.signal);
      if (!byLibrary) this.checkEnd(end, what);
      // A library that leaves something out of a genesis would make another ledger.
      if (name === 'init' && end.code === 0) assert.equal(end.stdout, this.madeWord, what);
      await (trial.args ? this.checkCommand(trial) : this.checkNode(trial)).catch((failure) => {
        throw new Error(`${what}, afterwards: ${failure.message}\nthe first time: ${JSON.stringify(end)}`, { cause: failure });
      });
      return { count, told, hasFailed, end: end.code, library, place, word: end.stderr.trim().split('\n').pop() };
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  }

  checkEnd(end, what) {
    assert.equal(end.signal, null, `${what}: ${JSON.stringify(end)}`);
    // 3: the log could not be written (pipeline/cli/node_command.c).
    assert.ok([0, 1, 3].includes(end.code), `${what}: ${JSON.stringify(end)}`);
    if (end.code !== 0) assert.match(end.stderr, /\S.{10,}/, `${what}: it ended without a word`);
    assert.doesNotMatch(end.stderr, /Sanitizer|runtime error|check failed/, what);
  }

  // The numbers of the first call of each place, and of the last.
  async numbers(name) {
    const { count, told, end } = await this.try(name, null);
    assert.equal(end, 0);
    const first = new Map();
    const last = new Map();
    for (let n = 1; n <= Math.min(count, placesMax); n++) {
      const place = told.readUInt32LE(placesAt + 4 * (n - 1));
      if (!first.has(place)) first.set(place, n);
      last.set(place, n);
    }
    return { count, places: first.size, chosen: [...new Set([...first.values(), ...last.values()])].sort((a, b) => a - b) };
  }

  // Every call, or of each place the first and the last one, or `sample` of these.
  async all(name, { sample, isEvery = false, report = () => {} } = {}) {
    const { count, places, chosen } = await this.numbers(name);
    let numbers = isEvery ? Array.from({ length: count }, (_, i) => i + 1) : chosen;
    if (sample !== undefined) numbers = Array.from({ length: sample }, () => chosen[this.random(0, chosen.length)]);
    const counts = { count, places, tried: 0, ended: 0, wentOn: 0, byLibrary: 0, failures: [] };
    for (const n of numbers) {
      try {
        const { hasFailed, end, library, place, word } = await this.try(name, n);
        if (!hasFailed) continue;
        counts.tried++;
        if (end === null) counts.byLibrary++;
        else if (end === 0) counts.wentOn++;
        else counts.ended++;
        report(`${name} ${n} ${library} 0x${place}: ${end} ${word}`);
      } catch (failure) {
        counts.failures.push(failure);
        report(`${name} ${n}: FAILED ${failure.message}`);
      }
    }
    return counts;
  }
}

export const scenarios = {
  'a first start': {},
  'a start after a crash': { template: 'template' },
  'init': { args: (self, data) => ['init', '--data', data, '--ledger', 'one', '--genesis', self.genesis] },
  'import': { template: 'created', args: (self, data) => ['import', '--data', data, self.blocks] },
  'export': { template: 'template', args: (self, data, folder) => ['export', '--data', data, '--force', path.join(folder, 'blocks')] },
  'verify': { template: 'template', args: (self, data) => ['verify', '--data', data] },
  'reindex': { template: 'template', args: (self, data) => ['reindex', '--data', data] },
};
