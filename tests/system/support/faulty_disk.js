// A file system that misbehaves on purpose, under the program as it is (disk/faulty_disk.c has the commands).
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import readline from 'node:readline';

import { defer, isRoot, patience } from './node.js';

const program = process.env.HANSE_FAULTY_DISK || '../../.build/release/tests/system/disk/faulty_disk';

// Why there can be none here; null when there can.
export function whyNoFaultyDisk() {
  if (!fs.existsSync(program)) return 'it was built without libfuse3: HANSE_FAULTY_DISK names no program';
  if (!isRoot) return 'mounting needs root';
  if (!fs.existsSync('/dev/fuse')) return 'there is no /dev/fuse';
  // Sandboxes forbid mounts in various ways: whether it works is seen by doing it.
  const folder = fs.mkdtempSync('/tmp/hanse-fuse-');
  for (const name of ['below', 'attic', 'mount']) fs.mkdirSync(path.join(folder, name));
  const tried = spawnSync(program, ['below', 'mount', 'attic'].map((name) => path.join(folder, name)), { input: '', timeout: 20000 });
  if (tried.status !== 0) spawnSync('umount', ['-l', path.join(folder, 'mount')], { stdio: 'ignore' });
  fs.rmSync(folder, { recursive: true, force: true });
  return String(tried.stdout).includes('ready') ? null : `no file system can be mounted: ${tried.stderr}`;
}

export class FaultyDisk {
  // What is on it stays in `folder` from one mount to the next.
  constructor(t, folder) {
    this.test = t;
    this.folder = folder;
    this.below = path.join(folder, 'below');
    this.mounted = path.join(folder, 'disk');
    this.attic = path.join(folder, 'attic');
    for (const each of [this.below, this.mounted]) fs.mkdirSync(each, { recursive: true });
    this.data = path.join(this.mounted, 'data');
    defer(t, () => this.remove());
  }

  // The machine starts: the files are what the last power failure left, and it has a number of its own.
  async start() {
    fs.rmSync(this.attic, { recursive: true, force: true });
    fs.mkdirSync(this.attic);
    fs.writeFileSync(path.join(this.folder, 'boot_id'), `${randomUUID()}\n`);
    this.child = spawn(program, [this.below, this.mounted, this.attic], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.child.stdin.on('error', () => {});
    const lines = readline.createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    this.next = async () => (await lines.next()).value;
    this.closed = new Promise((resolve) => this.child.on('close', (code) => resolve(code)));
    assert.equal(await this.next(), 'ready', 'the disk is mounted');
    return this;
  }

  // What stands before a program's name so that it runs on this machine and not on the one below.
  get command() {
    const bind = 'mount --bind "$0/boot_id" /proc/sys/kernel/random/boot_id && exec "$@"';
    return ['unshare', '--mount', 'sh', '-c', bind, this.folder];
  }

  async tell(command) {
    this.child.stdin.write(`${command}\n`);
    const answer = await this.next();
    assert.ok(answer?.startsWith(command.split(' ')[0]), `${command}: ${answer}`);
    return answer.split(' ').slice(1);
  }

  async count() {
    return Number((await this.tell('count'))[0]);
  }

  // How often something failed, and the first call that did.
  async fired() {
    const [count, ...name] = await this.tell('fired');
    return { count: Number(count), name: name.join(' ') };
  }

  async cut(seed, kept) {
    const [files, lost, left, sizes, changes] = (await this.tell(`cut ${seed} ${kept}`)).map(Number);
    return { files, sectors: lost + left, lost, sizes, changes };
  }

  // The machine is off; nothing may use the disk any more.
  async stop() {
    if (!this.child) return;
    const child = this.child;
    this.child = null;
    child.stdin.end();
    const timer = setTimeout(() => child.kill('SIGKILL'), 10000 * patience);
    if ((await this.closed) !== 0) spawnSync('umount', ['-l', this.mounted], { stdio: 'ignore' });
    clearTimeout(timer);
  }

  async remove() {
    await this.stop();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}
