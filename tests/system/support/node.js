// A node under test: started with a name, ports and a folder of its own; ended by its process id.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export const binary = path.resolve(process.env.HANSE_BINARY ?? '../../.build/release/pipeline/cli/hanse');
// Sanitizers and valgrind make everything slower.
export const patience = Number(process.env.HANSE_PATIENCE ?? 1);
export const isRoot = process.getuid() === 0;

let started = 0;

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// Waits until `condition` answers something truthy, and answers that.
export async function until(condition, what, milliseconds = 10000) {
  const end = Date.now() + milliseconds * patience;
  for (;;) {
    const answer = await condition();
    if (answer) return answer;
    if (Date.now() > end) assert.fail(`waited ${milliseconds * patience} ms in vain: ${what}`);
    await sleep(10);
  }
}

// What has to be undone when the test is over, the newest first, all of it whatever fails.
const undoing = new WeakMap();
export function defer(t, undo) {
  if (!undoing.has(t)) {
    const steps = [];
    undoing.set(t, steps);
    t.after(async () => {
      const failures = [];
      while (steps.length !== 0) await Promise.resolve(steps.pop()).then((step) => step()).catch((error) => failures.push(error));
      if (failures.length !== 0) throw failures[0];
    });
  }
  undoing.get(t).push(undo);
}

// A folder that goes away with the test.
export function workFolder(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hanse-system-'));
  defer(t, () => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

// Runs a command to its end: { code, stdout, stderr }.
export function run(args, { timeout = 60000, env, input, command = binary } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    const timer = setTimeout(() => child.kill('SIGKILL'), timeout * patience);
    child.stdout.on('data', (data) => (stdout += data));
    child.stderr.on('data', (data) => (stderr += data));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr });
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

function runtimeFolder(name) {
  return path.join(isRoot ? '/var/run/dpdk' : path.join(process.env.XDG_RUNTIME_DIR ?? '/tmp', 'dpdk'), name);
}

export class Node {
  constructor(args, { command = [], env, program = binary } = {}) {
    this.name = `hanse-system-${process.pid}-${started++}`;
    const line = [...command, program, 'node', '--name', this.name, '--rpc-port', '0', ...args];
    if (!args.some((arg) => arg.startsWith('--udp-'))) line.push('--udp-listen', '127.0.0.1:0');
    this.stdout = '';
    this.stderr = '';
    this.child = spawn(line[0], line.slice(1), { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout.on('data', (data) => (this.stdout += data));
    this.child.stderr.on('data', (data) => (this.stderr += data));
    this.ended = new Promise((resolve, reject) => {
      this.child.on('error', reject);
      this.child.on('close', (code, signal) => {
        this.end = { code, signal };
        fs.rmSync(runtimeFolder(this.name), { recursive: true, force: true });
        resolve(this.end);
      });
    });
  }

  get pid() {
    return this.child.pid;
  }

  // Until it says that it runs.
  async ready() {
    await until(() => this.end || this.stdout.includes('Stop with Ctrl-C'), 'the node starts', 30000);
    assert.ok(!this.end, `the node ended with ${JSON.stringify(this.end)}: ${this.stderr}${this.stdout}`);
    this.rpcPort = Number(/JSON-RPC +https?:\/\/[^ ]*:(\d+)/.exec(this.stdout)[1]);
    this.udpPort = Number(/udp port (\d+)/.exec(this.stdout)?.[1] ?? 0);
    this.data = /data +(\S+)/.exec(this.stdout)[1];
    this.url = `http://127.0.0.1:${this.rpcPort}`;
    return this;
  }

  // Sends a signal and waits for the end: { code, signal }.
  async stop(signal = 'SIGTERM') {
    this.child.kill(signal);
    await until(() => this.end, `the node ends after ${signal}`, 45000);
    return this.end;
  }

  // What the stats socket says to one command.
  async stats(command) {
    const answer = await run(['stats', '--name', this.name, '--json', command]);
    assert.equal(answer.code, 0, answer.stderr);
    return Object.values(JSON.parse(answer.stdout))[0];
  }

  // Posts anything: { status, text }.
  async post(body, { path: where = '/', headers } = {}) {
    const response = await fetch(this.url + where, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
    return { status: response.status, text: await response.text() };
  }

  // One call: the whole answer.
  async ask(method, params = [], where = '/') {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const { status, text } = await this.post(body, { path: where });
    assert.equal(status, 200, text);
    return JSON.parse(text);
  }

  // One call that must succeed: its result.
  async call(method, params = [], where = '/') {
    const answer = await this.ask(method, params, where);
    assert.ok(!answer.error, `${method}: ${JSON.stringify(answer.error)}`);
    return answer.result;
  }

  async balance(address, where = '/') {
    return BigInt(await this.call('eth_getBalance', [address, 'latest'], where));
  }

  async nonce(address, where = '/', block = 'latest') {
    return Number(await this.call('eth_getTransactionCount', [address, block], where));
  }

  // Readers see a block when it is sealed, some milliseconds after its transactions may be acknowledged. Waits until
  // they see the blocks of these acknowledgements; whoever reads what he has submitted as a datagram waits so first.
  async shows(...receipts) {
    for (const receipt of receipts) assert.equal(receipt?.verdict, 'EXECUTED', JSON.stringify(receipt));
    const paths = receipts.length === 0 ? [] : Object.keys(await this.stats('/hanse/ledger')).map((name) => `/${name}`);
    for (const [ledger, where] of paths.entries()) {
      const block = Math.max(...receipts.filter((receipt) => receipt.ledger === ledger).map((receipt) => receipt.block));
      const isSeen = async () => Number(await this.call('eth_blockNumber', [], where)) >= block;
      await until(isSeen, `block ${block} of ${where} is seen`);
    }
  }

  // How the counters of one stats command differ from `before`, without those that did not move.
  async changes(command, before) {
    const now = await this.stats(command);
    const moved = {};
    for (const [name, value] of Object.entries(now)) if (value !== before[name]) moved[name] = value - before[name];
    return moved;
  }
}

// Starts a node that is ended with the test; by default one for development, in a folder of its own.
export async function startNode(t, { data, dev = true, args = [], command, env } = {}) {
  const line = [...args];
  if (dev) line.push('--dev');
  if (!args.includes('--data')) line.push('--data', data ?? path.join(workFolder(t), 'data'));
  if (!args.includes('--cores')) line.push('--cores', '2');
  const node = new Node(line, { command, env });
  defer(t, async () => {
    if (!node.end) await node.stop('SIGKILL');
  });
  return node.ready();
}

// Starts a node that must refuse to run: { code, stderr }.
export async function refusedNode(t, args, options) {
  const node = new Node(args, options);
  defer(t, async () => {
    if (!node.end) await node.stop('SIGKILL');
  });
  await until(() => node.end, 'the node gives up', 30000);
  return { code: node.end.code, signal: node.end.signal, stderr: node.stderr, stdout: node.stdout };
}

// Bytes of all files below a folder, by relative name: to see that nothing was changed.
export function filesBelow(folder, { except = [] } = {}) {
  const found = {};
  for (const entry of fs.readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.path ?? entry.parentPath, entry.name);
    const name = path.relative(folder, file);
    if (entry.isFile() && !except.some((pattern) => pattern.test(name))) found[name] = fs.readFileSync(file);
  }
  return found;
}
