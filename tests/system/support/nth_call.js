// Fail the N-th: one call of the file system fails, each in its turn, in everything that the program does with files.
// It must end with a word and exit status 1, or go on; and the same without a failure must work afterwards, with
// everything acknowledged there.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';

import { Client, generator } from './crashes.js';
import { FaultyDisk } from './faulty_disk.js';
import { genesis } from './genesis.js';
import { binary, Node, run, until } from './node.js';
import { hashOf, sign } from './wallets.js';

// Of the errors, 0 is a write that puts half of what it was asked to.
const errors = { EIO: 5, ENOSPC: 28, EMFILE: 24, half: 0 };
// Which calls an error other than EIO is tried on.
const fits = { ENOSPC: /^(create|write|sync|allocate|truncate|mkdir|rename)/, EMFILE: /^(open|create|list) /, half: /^write / };

const nodeArgs = ['--cores', '2', '--log-segment', '8', '--snapshot-frames', '8', '--snapshot-every-frames', '10'];

export class NthCall {
  constructor(t, folder, { seed = 1 } = {}) {
    this.test = t;
    this.seed = seed;
    this.folder = folder;
    this.disk = new FaultyDisk(t, folder);
    this.trials = 0;
  }

  async begin() {
    await this.disk.start();
    await this.makeTemplates();
    return this;
  }

  command(args, options) {
    const [command, ...before] = this.disk.command;
    return run([...before, binary, ...args], { command, ...options });
  }

  // Data directories to begin with, made without failures.
  async makeTemplates() {
    const keep = (name) => fs.renameSync(this.place('data'), path.join(this.folder, name));
    this.genesis = path.join(this.folder, 'genesis.json');
    fs.writeFileSync(this.genesis, genesis({ chainId: 31337 }));
    this.written = new Client(0, { random: generator(1), overRpc: true });
    const node = await this.start(this.disk.data, []);
    for (let i = 0; i < 40; i++) await this.pay(node, this.written);
    await node.stop('SIGKILL');
    // As after a crash of the machine: the history is not to be trusted.
    fs.cpSync(this.place('data'), path.join(this.folder, 'crashed'), { recursive: true });
    const again = await this.start(this.disk.data, []);
    await again.stop();
    keep('stopped');
    const blocks = path.join(this.folder, 'blocks');
    fs.cpSync(path.join(this.folder, 'stopped'), this.place('data'), { recursive: true });
    assert.equal((await this.command(['export', '--data', this.disk.data, blocks])).code, 0);
    keep('exported');
    assert.equal((await this.init(this.disk.data)).code, 0);
    keep('created');
  }

  init(data) {
    return this.command(['init', '--data', data, '--ledger', 'one', '--genesis', this.genesis]);
  }

  // Where something on the disk lies below it.
  place(name) {
    return path.join(this.disk.below, name);
  }

  spawn(data, args = []) {
    return new Node(['--data', data, '--ledger', `one=${this.genesis}`, ...nodeArgs, ...args], { command: this.disk.command });
  }

  async start(data, args) {
    const node = this.spawn(data, args);
    try {
      return await node.ready();
    } catch (error) {
      await node.stop('SIGKILL');
      throw error;
    }
  }

  async pay(node, client) {
    const raw = sign(client.wallet, { chainId: client.chainId, nonce: client.raws.length, to: client.recipient, value: 1n });
    client.raws.push(raw);
    const block = await client.sendOverRpc(node, raw);
    if (block === null) return false;
    client.acknowledged.set(hashOf(raw), block);
    return true;
  }

  // A node from start to stop with a few transactions, then once more without failures.
  async runNode({ data, client, payments }) {
    const node = this.spawn(data);
    try {
      await until(() => node.end || node.stdout.includes('Stop with Ctrl-C'), 'the node starts or gives up', 30000);
      if (!node.end) {
        await node.ready();
        for (let i = 0; i < payments && !node.end && (await this.pay(node, client)); i++);
        if (!node.end) await node.stop();
      }
    } finally {
      if (!node.end) await node.stop('SIGKILL');
    }
    return { ...node.end, stderr: node.stderr };
  }

  async checkNode({ data, client }) {
    const node = await this.start(data, []);
    try {
      await client.check(node);
      assert.deepEqual(await node.stop(), { code: 0, signal: null }, node.stderr);
    } finally {
      if (!node.end) await node.stop('SIGKILL');
    }
    await this.checkAudit({ data });
  }

  async checkAudit({ data }) {
    const audit = await this.command(['verify', '--data', data], { timeout: 60000 });
    assert.deepEqual([audit.code, /Everything agrees/.test(audit.stdout)], [0, true], audit.stdout + audit.stderr);
  }

  async checkAgain(trial) {
    const again = await scenarios[trial.name].use(this, trial);
    assert.equal(again.code, 0, `the second time: ${again.stderr}`);
    await this.checkAudit(trial);
  }

  // Made by the first try, or by the second.
  async checkCreated(trial) {
    const again = await this.init(trial.data);
    if (again.code !== 0) assert.match(again.stderr, /there is a ledger one already/);
    await this.checkNode(trial);
  }

  // One trial: the N-th call fails. N null: none does, and the answer has how many there were.
  async try(name, n, error) {
    const scenario = scenarios[name];
    const folder = `trial-${this.trials++}`;
    const data = path.join(this.disk.mounted, folder);
    const client = new Client(0, { random: generator(1), overRpc: true });
    if (scenario.template) {
      fs.cpSync(path.join(this.folder, scenario.template), this.place(folder), { recursive: true });
      client.raws = [...this.written.raws];
      client.acknowledged = new Map(this.written.acknowledged);
    }
    const trial = { name, data, client, payments: scenario.payments, output: path.join(this.disk.mounted, `${folder}.blocks`) };
    if (scenario.hasOutput) fs.writeFileSync(this.place(`${folder}.blocks`), 'old');
    await this.disk.tell('reset');
    if (n !== null) await this.disk.tell(`fail ${n} 1 ${errors[error]}`);
    const what = `${name}, call ${n}, ${error}`;
    try {
      const end = await scenario.use(this, trial);
      const calls = await this.disk.count();
      const fired = await this.disk.fired();
      await this.disk.tell('reset');
      if (n === null) assert.equal(end.code, 0, end.stderr);
      this.checkEnd(end, `${what} (${fired.name})`);
      await (scenario.check ?? ((self, it) => self.checkAgain(it)))(this, trial).catch((failure) => {
        throw new Error(`${what} (${fired.name}), afterwards: ${failure.message}\nthe first time: ${JSON.stringify(end)}`, { cause: failure });
      });
      return { calls, call: fired.name, end: end.code };
    } finally {
      await this.disk.tell('reset');
      fs.rmSync(this.place(folder), { recursive: true, force: true });
      fs.rmSync(trial.output, { force: true });
    }
  }

  checkEnd(end, what) {
    assert.equal(end.signal, null, `${what}: ${JSON.stringify(end)}`);
    // 3: the log could not be written (pipeline/cli/node_command.c).
    assert.ok([0, 1, 3].includes(end.code), `${what}: ${JSON.stringify(end)}`);
    if (end.code !== 0) assert.match(`${end.stdout ?? ''}${end.stderr}`, /\S.{10,}/, `${what}: it ended without a word`);
    assert.doesNotMatch(end.stderr, /Sanitizer|runtime error|hanse: .*: check failed/, what);
  }

  // All calls of a scenario, or `sample` of them chosen by the seed; each with every error that fits it.
  async all(name, { sample, report = () => {} } = {}) {
    const { calls } = await this.try(name, null);
    const random = generator(this.seed);
    const counts = { calls, tried: 0, ended: 0, wentOn: 0, failures: [] };
    // Gives the call that failed; nothing when it came to no such call.
    const one = async (n, error) => {
      try {
        const { end, call } = await this.try(name, n, error);
        if (call === '') return null;
        counts.tried++;
        end === 0 ? counts.wentOn++ : counts.ended++;
        report(`${name} ${n} ${error} ${call}: ${end}`);
        return call;
      } catch (failure) {
        counts.failures.push(failure);
        report(`${name} ${n} ${error}: FAILED ${failure.message}`);
        return null;
      }
    };
    const chosen = Array.from({ length: sample ?? calls }, (_, i) => (sample === undefined ? i + 1 : random(1, calls + 1)));
    for (const [i, n] of chosen.entries()) {
      if (sample !== undefined && i % 2 === 1) {
        await one(n, 'ENOSPC');
        continue;
      }
      const call = await one(n, 'EIO');
      if (call === null || sample !== undefined) continue;
      for (const [error, calls] of Object.entries(fits)) if (calls.test(call)) await one(n, error);
    }
    return counts;
  }
}

// What the program does with files. `use` gives { code, signal, stderr }; `check`: afterwards, without failures.
export const scenarios = {
  'a first start': { payments: 2, use: (self, trial) => self.runNode(trial), check: (self, trial) => self.checkNode(trial) },
  'a start after a stop': { template: 'stopped', payments: 20, use: (self, trial) => self.runNode(trial), check: (self, trial) => self.checkNode(trial) },
  'a start after a crash': { template: 'crashed', payments: 2, use: (self, trial) => self.runNode(trial), check: (self, trial) => self.checkNode(trial) },
  'init': { use: (self, { data }) => self.init(data), check: (self, trial) => self.checkCreated(trial) },
  'import': { template: 'created', use: (self, { data }) => self.command(['import', '--data', data, path.join(self.folder, 'blocks')]) },
  'export': { template: 'stopped', hasOutput: true, use: (self, { data, output }) => self.command(['export', '--data', data, '--force', output]) },
  'verify': { template: 'stopped', use: (self, { data }) => self.command(['verify', '--data', data]) },
  'reindex': { template: 'stopped', use: (self, { data }) => self.command(['reindex', '--data', data]) },
};
