// WebSockets from their rough side: slow, silent, hostile and very many clients, while transactions keep flowing.
import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';

import { Sender } from './support/datagrams.js';
import { frame, handshake as makeHandshake } from './support/frames.js';
import { defer, patience, sleep, startNode, until } from './support/node.js';
import { accounts, sign, stranger } from './support/wallets.js';

const request = (id, method, ...params) => JSON.stringify({ jsonrpc: '2.0', id, method, params });

// A connection that shows everything: bytes go out as they are, frames come in one by one.
class Raw {
  static async open(t, port, { headers = {}, path = '/', handshake = true } = {}) {
    const raw = new Raw();
    raw.frames = [];
    raw.rest = Buffer.alloc(0);
    raw.isClosed = false;
    raw.socket = net.connect(port, '127.0.0.1');
    raw.socket.on('error', () => {});
    raw.socket.on('close', () => (raw.isClosed = true));
    defer(t, () => raw.socket.destroy());
    await new Promise((resolve) => raw.socket.once('connect', resolve));
    if (!handshake) return raw;
    raw.socket.write(makeHandshake({ path, headers }));
    raw.socket.on('data', (data) => raw.take(data));
    await until(() => raw.head !== undefined || raw.isClosed, 'the handshake is answered');
    return raw;
  }

  take(data) {
    this.rest = Buffer.concat([this.rest, data]);
    if (this.head === undefined) {
      const end = this.rest.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.head = this.rest.subarray(0, end).toString();
      this.rest = this.rest.subarray(end + 4);
    }
    if (!this.head.startsWith('HTTP/1.1 101')) return;
    for (;;) {
      if (this.rest.length < 2) return;
      const short = this.rest[1];
      const header = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (this.rest.length < header) return;
      const size = short < 126 ? short : short === 126 ? this.rest.readUInt16BE(2) : Number(this.rest.readBigUInt64BE(2));
      if (this.rest.length < header + size) return;
      this.frames.push({ opcode: this.rest[0] & 15, body: this.rest.subarray(header, header + size) });
      this.rest = this.rest.subarray(header + size);
    }
  }

  send(payload, first) {
    this.socket.write(frame(payload, first));
  }

  async ask(id, method, ...params) {
    this.send(request(id, method, ...params));
    return (await until(() => this.texts().find((one) => one.id === id), `${method} is answered`)).result;
  }

  texts() {
    return this.frames.filter((one) => one.opcode === 1).map((one) => JSON.parse(one.body));
  }

  heads(id) {
    return this.texts().filter((one) => one.params?.subscription === id).map((one) => Number(one.params.result.number));
  }

  // Code and reason of the close frame.
  async farewell() {
    const found = await until(() => this.frames.find((one) => one.opcode === 8), 'a close frame');
    return [found.body.length >= 2 ? found.body.readUInt16BE(0) : 1005, found.body.subarray(2).toString()];
  }
}

async function flows(node, nonce) {
  await node.call('eth_sendRawTransactionSync', [sign(accounts[0], { nonce, to: stranger(1), value: 1n })]);
}

test('the handshake: the key of the RFC, and what is refused', async (t) => {
  const node = await startNode(t, { args: ['--rpc-cors', 'https://good.example'] });
  const good = await Raw.open(t, node.rpcPort);
  assert.match(good.head, /sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/i);
  assert.equal(await good.ask(1, 'eth_chainId'), '0x7a69');
  for (const [headers, status] of [
    [{ 'sec-websocket-version': '8' }, 400], [{ 'sec-websocket-key': 'short' }, 400], [{ 'sec-websocket-key': null }, 400],
    [{ origin: 'https://evil.example' }, 403], [{ host: 'evil.example' }, 403], [{ origin: 'https://good.example' }, 101],
  ])
    assert.match((await Raw.open(t, node.rpcPort, { headers })).head, new RegExp(`^HTTP/1.1 ${status}`), JSON.stringify(headers));
  assert.match((await Raw.open(t, node.rpcPort, { path: '/nobody' })).head, /^HTTP\/1.1 404/);
});

test('what the protocol forbids closes the connection with its code', async (t) => {
  const node = await startNode(t, { args: ['--rpc-body', '100000'] });
  for (const [bytes, code] of [
    [Buffer.from([0x81, 0x02, 0x7b, 0x7d]), 1002], // not masked
    [frame('{}', 0xc1), 1002], // a reserved bit
    [frame('{}', 0x83), 1002], // an opcode that means nothing
    [frame('{}', 0x80), 1002], // nothing to continue
    [frame('x'.repeat(126), 0x89), 1002], // a large ping
    [frame([0xff, 0xfe]), 1007],
    [frame('x'.repeat(100001)), 1009],
    [Buffer.from([0x82, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4]), 1009], // announced only
    [frame([0x03, 0xe8], 0x88), 1000],
    [frame([], 0x88), 1005],
  ]) {
    const raw = await Raw.open(t, node.rpcPort);
    raw.socket.write(bytes);
    assert.equal((await raw.farewell())[0], code, bytes.subarray(0, 14).toString('hex'));
    await until(() => raw.isClosed, 'and it is closed');
  }
  const halves = await Raw.open(t, node.rpcPort);
  halves.send('x'.repeat(60000), 0x01);
  halves.send('x'.repeat(60000), 0x80);
  assert.equal((await halves.farewell())[0], 1009);
  await flows(node, 0);
});

test('a message in pieces, byte by byte, with pings between', async (t) => {
  const node = await startNode(t);
  const raw = await Raw.open(t, node.rpcPort);
  const text = request(5, 'eth_chainId');
  raw.send(text.slice(0, 10), 0x01);
  raw.send('now', 0x89);
  raw.send(text.slice(10, 20), 0x00);
  for (const byte of frame(text.slice(20), 0x80)) {
    raw.socket.write(Buffer.from([byte]));
    await sleep(1);
  }
  await until(() => raw.texts().length === 1, 'the answer');
  assert.deepEqual(raw.frames.map((one) => one.opcode), [10, 1]);
  assert.equal(raw.frames[0].body.toString(), 'now');
});

test('200 subscribers hear every block in order, whatever others do', async (t) => {
  const node = await startNode(t);
  const all = await Promise.all(Array.from({ length: 200 }, () => Raw.open(t, node.rpcPort)));
  const ids = await Promise.all(all.map((raw) => raw.ask(1, 'eth_subscribe', 'newHeads')));
  // Fifty that go without a word, and fifty that say half a frame and nothing more.
  for (let i = 0; i < 50; i++) {
    const gone = await Raw.open(t, node.rpcPort);
    gone.send(request(1, 'eth_subscribe', 'newHeads'));
    gone.socket.resetAndDestroy();
    const half = await Raw.open(t, node.rpcPort);
    half.send(request(1, 'eth_subscribe', 'logs'));
    half.socket.write(frame('x'.repeat(1000)).subarray(0, 500));
  }
  const sender = new Sender(t, node.udpPort);
  await Promise.all(Array.from({ length: 60 }, (_, nonce) => sender.submit(sign(accounts[0], { nonce }))));
  const last = Number(await node.call('eth_blockNumber'));
  await until(async () => all.every((raw, i) => raw.heads(ids[i]).at(-1) >= last), 'everybody has the last block', 30000);
  for (const [i, raw] of all.entries()) {
    const numbers = raw.heads(ids[i]);
    assert.deepEqual(numbers, numbers.map((_, n) => numbers[0] + n));
    assert.equal(numbers[0], 1);
  }
});

test('a subscriber that reads nothing is cut off with the reason, and delays nobody', async (t) => {
  const node = await startNode(t);
  const slow = await Raw.open(t, node.rpcPort);
  const quick = await Raw.open(t, node.rpcPort);
  const id = await quick.ask(1, 'eth_subscribe', 'newHeads');
  // A thousand subscriptions make some 2 MB of each block.
  slow.send('[' + Array.from({ length: 1000 }, (_, i) => request(i, 'eth_subscribe', 'newHeads')).join() + ']');
  await until(() => slow.frames.length === 1, 'a thousand ids');
  slow.socket.pause();
  const began = Date.now();
  for (let nonce = 0; nonce < 40; nonce++) await flows(node, nonce);
  assert.ok(Date.now() - began < 20000 * patience, `40 transactions took ${Date.now() - began} ms`);
  await until(() => quick.heads(id).length === 40, 'the other one has heard them all');
  slow.socket.resume();
  const [code, reason] = await slow.farewell();
  assert.equal(code, 1013);
  assert.match(reason, /too slow/);
  await until(() => slow.isClosed, 'and it is closed');
  assert.ok(slow.texts().length < 40000, 'not all were kept for it');
});

test('requests without end on a connection that takes no answers', async (t) => {
  const node = await startNode(t);
  const deaf = await Raw.open(t, node.rpcPort);
  deaf.socket.pause();
  const many = Buffer.concat(Array.from({ length: 1000 }, (_, i) => frame(request(i, 'eth_getBlockByNumber', 'latest', true))));
  for (let i = 0; i < 30; i++) deaf.socket.write(many);
  await sleep(300);
  await flows(node, 0);
  deaf.socket.resume();
  await until(() => deaf.frames.length === 30000, 'all are answered in the end', 30000);
  assert.ok(deaf.frames.every((one) => one.opcode === 1));
});

test('stopping takes no longer for clients that do not say goodbye', async (t) => {
  const node = await startNode(t);
  const rude = await Promise.all(Array.from({ length: 20 }, () => Raw.open(t, node.rpcPort)));
  for (const raw of rude) await raw.ask(1, 'eth_subscribe', 'newHeads');
  rude[0].socket.pause();
  const began = Date.now();
  assert.equal((await node.stop()).code, 0);
  assert.ok(Date.now() - began < 8000 * patience, `stopping took ${Date.now() - began} ms`);
  assert.deepEqual(await rude[1].farewell(), [1001, 'the node is stopping']);
});
