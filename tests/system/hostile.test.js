// Thousands of connections at once, most of them hostile, while transactions keep flowing; and afterwards the node is
// what it was before.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import { test } from 'node:test';

import { makeCertificate, Secure } from './support/certificates.js';
import { frame, handshake } from './support/frames.js';
import { defer, patience, sleep, startNode, until, workFolder } from './support/node.js';
import { accounts, sign, stranger } from './support/wallets.js';

const wanted = 2400;
const request = (id, method, ...params) => JSON.stringify({ jsonrpc: '2.0', id, method, params });
const post = (body) => `POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
// Half requests and handshakes may take no longer than this, so that the test sees them end.
const clocks = ['header', 'body', 'handshake', 'write', 'idle'].flatMap((part) => [`--rpc-timeout-${part}`, '2500']);

// Enemies of one kind: how they begin, and what they say every so often.
const kinds = {
  silent: { share: 1 },
  'slow headers': { share: 2, begin: 'POST / HTTP/1.1\r\nhost: localhost\r\nx: ', drip: 'x' },
  'slow bodies': { share: 2, begin: post(' '.repeat(100000)).slice(0, -99990), drip: ' ' },
  'slow chunks': { share: 1, begin: 'POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n', drip: '1\r\n \r\n' },
  garbage: { share: 1, begin: Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0xff, 0x0d, 0x0a]), drip: '\xff' },
  deaf: { share: 2, begin: post(`[${Array(500).fill(request(1, 'rpc_modules')).join()}]`).repeat(20), isDeaf: true },
  'deaf subscribers': {
    share: 2,
    begin: Buffer.concat([Buffer.from(handshake()), frame(request(1, 'eth_subscribe', 'newHeads')), frame(request(2, 'eth_subscribe', 'newPendingTransactions', true))]),
    isDeaf: true,
  },
  'half messages': { share: 1, begin: Buffer.concat([Buffer.from(handshake()), frame('x'.repeat(100), 0x01)]), drip: frame('x', 0x00) },
};

// Connects again whenever it is thrown out, until it is told to end.
class Enemy {
  constructor(port, kind) {
    Object.assign(this, { port, kind, isOn: true });
    this.connect();
  }

  connect() {
    if (!this.isOn) return;
    this.socket = net.connect(this.port, '127.0.0.1', () => {
      this.wasIn = true;
      if (this.kind.begin) this.socket.write(this.kind.begin, this.kind.encoding);
    });
    if (this.kind.isDeaf) this.socket.pause();
    else this.socket.resume();
    this.socket.on('error', () => {});
    this.socket.on('close', () => setTimeout(() => this.connect(), 50));
  }

  drip() {
    if (this.kind.drip && this.socket.writable) this.socket.write(this.kind.drip, 'latin1');
  }

  end() {
    this.isOn = false;
    this.socket.destroy();
  }
}

const descriptors = (node) => fs.readdirSync(`/proc/${node.pid}/fd`).length;
const residentMiB = (node) => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${node.pid}/status`, 'utf8'))[1]) / 1024;
const openFilesMax = () => Number(execFileSync('sh', ['-c', 'ulimit -Hn']).toString().replace('unlimited\n', '1e6'));

// Sends transactions one after the other; how long each took to its receipt.
async function transact(count, from, send) {
  const times = [];
  for (let nonce = 0; nonce < count; nonce++) {
    const began = Date.now();
    const receipt = await send(sign(from, { nonce, to: stranger(9), value: 1n }));
    assert.equal(receipt.status, '0x1', JSON.stringify(receipt));
    times.push(Date.now() - began);
    await sleep(20);
  }
  return times.sort((a, b) => a - b);
}

test(`${wanted} connections, slow, deaf and mad, keep nobody from transactions`, async (t) => {
  const node = await startNode(t, { args: [...clocks, '--rpc-websocket-ping', '1500'] });
  const before = { files: descriptors(node), memory: residentMiB(node) };
  const count = Math.min(wanted, openFilesMax() - 200);
  if (count < wanted) t.diagnostic(`only ${count} connections: the limit of open files is ${openFilesMax()}`);
  const shares = Object.values(kinds).reduce((sum, kind) => sum + kind.share, 0);
  const enemies = [];
  defer(t, () => enemies.forEach((enemy) => enemy.end()));
  for (const kind of Object.values(kinds))
    for (let i = 0; i < Math.floor((count * kind.share) / shares); i++) {
      enemies.push(new Enemy(node.rpcPort, kind));
      if (enemies.length % 50 === 0) await sleep(1);
    }
  const drip = setInterval(() => enemies.forEach((enemy) => enemy.drip()), 250);
  defer(t, () => clearInterval(drip));
  await until(() => enemies.every((enemy) => enemy.wasIn), 'all are connected', 20000);
  const times = await transact(60, accounts[0], (raw) => node.call('eth_sendRawTransactionSync', [raw]));
  const fresh = await transact(20, accounts[1], async (raw) => {
    const body = request(1, 'eth_sendRawTransactionSync', raw);
    const { text } = await node.post(body, { headers: { connection: 'close' } });
    return JSON.parse(text).result;
  });
  const stats = await node.stats('/hanse/rpc');
  t.diagnostic(`kept connection: median ${times[30]} ms, longest ${times[59]} ms; new ones: ${fresh[10]} and ${fresh[19]} ms; ${JSON.stringify(stats)}`);
  t.diagnostic(`memory ${before.memory.toFixed(0)} MiB before, ${residentMiB(node).toFixed(0)} MiB under attack`);
  assert.ok(stats.connections > count / 2, JSON.stringify(stats));
  assert.ok(times[59] < 3000 * patience && fresh[19] < 3000 * patience, `${times} ${fresh}`);
  await until(async () => (await node.stats('/hanse/rpc')).late_connections > 100, 'clocks strike');
  clearInterval(drip);
  enemies.forEach((enemy) => enemy.end());
  await until(() => descriptors(node) <= before.files + 8, `descriptors come back to ${before.files}`, 20000);
  await until(async () => (await node.stats('/hanse/rpc')).websockets === 0, 'no WebSocket is left');
  t.diagnostic(`memory ${residentMiB(node).toFixed(0)} MiB afterwards`);
  if (patience === 1) assert.ok(residentMiB(node) < before.memory + 250, `${before.memory} MiB became ${residentMiB(node)} MiB`);
  assert.equal(await node.balance(stranger(9)), 80n);
});

test('half-open handshakes of TLS end by themselves and keep nobody waiting', async (t) => {
  const pair = makeCertificate(workFolder(t));
  const node = await startNode(t, { args: [...clocks, ...pair.args] });
  const files = descriptors(node);
  const hello = Buffer.from('160301006f0100006b0303', 'hex');
  const silent = {};
  const enemies = [];
  defer(t, () => enemies.forEach((enemy) => enemy.end()));
  for (let i = 0; i < 400; i++) enemies.push(new Enemy(node.rpcPort, [silent, { begin: hello, drip: '\x01' }, { begin: post('{}') }, { begin: '\x16\x03\x01\xff\xff' }][i % 4]));
  const drip = setInterval(() => enemies.forEach((enemy) => enemy.drip()), 250);
  defer(t, () => clearInterval(drip));
  await until(() => enemies.every((enemy) => enemy.wasIn), 'all are connected', 20000);
  const client = new Secure(node, pair);
  const times = await transact(20, accounts[0], async (raw) => (await client.ask('eth_sendRawTransactionSync', [raw])).result);
  t.diagnostic(`median ${times[10]} ms, longest ${times[19]} ms`);
  assert.ok(times[19] < 3000 * patience, `${times}`);
  const half = [enemies[0], enemies[1]];
  half.forEach((enemy) => (enemy.isOn = false)); // they do not come back
  await until(() => half.every((enemy) => enemy.socket.destroyed), 'half handshakes are ended', 10000);
  enemies.forEach((enemy) => enemy.end());
  client.close();
  await until(() => descriptors(node) <= files + 4, 'descriptors come back', 20000);
});

test('a limit of open files that is too low is told, and held', async (t) => {
  const node = await startNode(t, { command: ['prlimit', '--nofile=600:600', process.getuid() === 0 ? 'setpriv' : 'env', ...(process.getuid() === 0 ? ['--bounding-set', '-sys_resource'] : [])] });
  assert.match(node.stderr, /the limit of open files, 600, has room for 344 connections of JSON-RPC, not for 16384/);
  const enemies = [];
  defer(t, () => enemies.forEach((enemy) => enemy.end()));
  const mine = net.connect(node.rpcPort, '127.0.0.1');
  defer(t, () => mine.destroy());
  await new Promise((resolve) => mine.once('connect', resolve));
  for (let i = 0; i < 500; i++) enemies.push(new Enemy(node.rpcPort, {}));
  await until(async () => (await node.stats('/hanse/rpc')).refused_connections >= 100, 'some are refused', 20000);
  const answer = new Promise((resolve) => mine.once('data', resolve));
  mine.write(post(request(1, 'eth_chainId')));
  assert.match(String(await answer), /0x7a69/);
  const refused = await node.post(request(1, 'eth_chainId'));
  assert.deepEqual([refused.status, JSON.parse(refused.text).error.code], [503, -32005]);
});
