// HTTP/1.1 as clients of every kind speak it, byte by byte.
import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';

import { defer, startNode, until } from './support/node.js';
import { accounts, sign, stranger } from './support/wallets.js';

const call = (id, method = 'eth_chainId', ...params) => JSON.stringify({ jsonrpc: '2.0', id, method, params });
const post = (body, ...headers) => `POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n${headers.map((one) => `${one}\r\n`).join('')}\r\n${body}`;
const get = (method, ...headers) => `${method} / HTTP/1.1\r\nhost: localhost\r\n${headers.map((one) => `${one}\r\n`).join('')}\r\n`;

// A connection whose responses are taken apart: { status, head, body }. Bodies come by their length alone.
class Talk {
  constructor(t, node) {
    Object.assign(this, { rest: '', isClosed: false });
    this.socket = net.connect(node.rpcPort, '127.0.0.1');
    this.socket.on('data', (data) => (this.rest += data)).on('error', () => {}).on('close', () => (this.isClosed = true));
    defer(t, () => this.socket.destroy());
  }

  say(bytes) {
    this.socket.write(bytes);
    return this;
  }

  async hear({ hasBody = true } = {}) {
    const end = await until(() => this.rest.indexOf('\r\n\r\n') + 1, 'a head') - 1;
    const head = this.rest.slice(0, end);
    const size = hasBody ? Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0) : 0;
    await until(() => this.rest.length >= end + 4 + size, 'a body');
    const body = this.rest.slice(end + 4, end + 4 + size);
    this.rest = this.rest.slice(end + 4 + size);
    return { status: Number(head.split(' ')[1]), head, body };
  }

  async ends() {
    await until(() => this.isClosed, 'the connection is closed');
    assert.equal(this.rest, '');
  }
}

test('one connection, everything that it may be asked, one after the other', async (t) => {
  const node = await startNode(t, { args: ['--rpc-body', '2000', '--rpc-batch', '3'] });
  const talk = new Talk(t, node);
  const isChainId = ({ status, body }, id) => assert.deepEqual([status, JSON.parse(body)], [200, { jsonrpc: '2.0', id, result: '0x7a69' }]);
  isChainId(await talk.say(post(call(1))).hear(), 1);
  const head = await talk.say(get('HEAD')).hear({ hasBody: false });
  assert.equal(head.status, 200);
  const whole = await talk.say(get('GET')).hear();
  assert.match(whole.body, /Hanse[^]*ledger dev, chain id 31337/);
  assert.match(head.head, new RegExp(`content-length: ${whole.body.length}\\b`, 'i'));
  const preflight = await talk.say(get('OPTIONS', 'origin: https://any.example', 'access-control-request-method: POST')).hear();
  assert.equal(preflight.status, 204);
  assert.match(preflight.head, /access-control-allow-methods: POST, GET, OPTIONS/);
  for (const method of ['PUT', 'DELETE', 'PATCH', 'TRACE', 'NONSENSE']) {
    const answer = await talk.say(get(method)).hear();
    assert.equal(answer.status, 405, method);
    assert.match(answer.head, /allow: POST, GET, OPTIONS/);
  }
  assert.equal((await talk.say(post('{}', 'content-type: application/x-www-form-urlencoded')).hear()).status, 415);
  assert.equal((await talk.say(get('GET').replace('/ ', '/nobody ')).hear()).status, 404);
  const batch = JSON.parse((await talk.say(post(`[${call(1)},${call(2)},${call(3)}]`)).hear()).body);
  assert.deepEqual(batch.map(({ id }) => id), [1, 2, 3]);
  assert.equal(JSON.parse((await talk.say(post(`[${Array(4).fill(call(1)).join()}]`)).hear()).body)[0].error.code, -32600);
  // In chunks, with an extension and a trailer.
  const body = call(5);
  const chunks = `POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n7;x=y\r\n${body.slice(0, 7)}\r\n${(body.length - 7).toString(16).toUpperCase()}\r\n${body.slice(7)}\r\n0\r\nx-after: 1\r\n\r\n`;
  for (const byte of chunks) talk.say(byte);
  isChainId(await talk.hear(), 5);
  // A client that asks before it sends.
  talk.say(post(call(6), 'expect: 100-continue').slice(0, -call(6).length));
  assert.equal((await talk.hear()).status, 100);
  isChainId(await talk.say(call(6)).hear(), 6);
  isChainId(await talk.say(post(call(7), 'connection: close')).hear(), 7);
  await talk.ends();
});

test('pipelined requests are answered in their order, whatever each takes', async (t) => {
  const node = await startNode(t);
  const talk = new Talk(t, node);
  const requests = [];
  for (let i = 0; i < 300; i++)
    requests.push(post(i % 3 === 0 ? call(i, 'eth_sendRawTransactionSync', sign(accounts[0], { nonce: i / 3 })) : i % 3 === 1 ? call(i) : `[${Array(200).fill(call(i, 'eth_getBalance', accounts[1].address, 'latest')).join()}]`));
  talk.say(requests.join(''));
  for (let i = 0; i < 300; i++) {
    const answer = JSON.parse((await talk.hear()).body);
    assert.equal(i % 3 === 2 ? answer[199].id : answer.id, i);
    if (i % 3 === 0) assert.equal(answer.result?.status, '0x1', JSON.stringify(answer));
  }
});

test('what HTTP forbids is refused, and the connection ended', async (t) => {
  const node = await startNode(t, { args: ['--rpc-body', '2000', '--rpc-header', '4000'] });
  for (const [bytes, status] of [
    ['nonsense\r\n\r\n', 400], ['POST / HTTP/9.9\r\n\r\n', 400], ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400], ['GET / HTTP/1.1\r\nno colon\r\n\r\n', 400],
    ['POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: many\r\n\r\n', 400],
    ['POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: gzip\r\n\r\n', 400],
    ['POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n', 400],
    // Two lengths, of which another server on the way may have believed the other one.
    ['POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n', 400],
    ['POST / HTTP/1.1\r\nhost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n', 400],
    ['POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}\n', 400],
    [post('{}', 'expect: a-miracle'), 417], [post('x'.repeat(2001)), 413],
    ['POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99999999999999\r\n\r\n', 413],
    ['POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nfff\r\n' + 'x'.repeat(0xfff) + '\r\n', 413],
    [get('GET', `x-large: ${'x'.repeat(4000)}`), 431], [`GET /${'x'.repeat(4000)} HTTP/1.1\r\nhost: localhost\r\n\r\n`, 431],
    [`GET / HTTP/1.1\r\nx-unfinished: ${'x'.repeat(8000)}`, 431],
    [`GET / HTTP/1.1\r\n${'x: y\r\n'.repeat(200)}\r\n`, 400],
  ]) {
    const talk = new Talk(t, node).say(bytes);
    assert.equal((await talk.hear()).status, status, bytes.slice(0, 100));
    await until(() => talk.isClosed, 'and it is closed');
  }
  // Version 1.0 closes unless it is asked not to.
  const old = new Talk(t, node).say(`POST / HTTP/1.0\r\ncontent-length: ${call(1).length}\r\n\r\n${call(1)}`);
  assert.match((await old.hear()).body, /0x7a69/);
  await old.ends();
  const kept = new Talk(t, node);
  for (const id of [1, 2]) {
    kept.say(`POST / HTTP/1.0\r\nconnection: keep-alive\r\ncontent-length: ${call(id).length}\r\n\r\n${call(id)}`);
    assert.equal(JSON.parse((await kept.hear()).body).id, id);
  }
});

test('a node at its limit says so, with the time to try again; submissions flow all the same', async (t) => {
  const node = await startNode(t, { args: ['--rpc-calls', '1', '--rpc-timeout-call', '60000', '--rpc-gas-cap', '10000000000'] });
  const endless = (id) => call(id, 'eth_call', { to: stranger(1), gas: '0x2540be400' }, 'latest', { [stranger(1)]: { code: '0x5b5f56' } });
  new Talk(t, node).say(post(endless(1)));
  await until(async () => (await node.stats('/hanse/rpc')).in_flight === 1, 'a call runs');
  const short = await new Talk(t, node).say(post(call(2, 'eth_call', { to: stranger(2) }, 'latest'))).hear();
  assert.deepEqual([short.status, JSON.parse(short.body).result], [200, '0x'], 'short calls wait for no one');
  const ask = endless(3);
  const answer = await new Talk(t, node).say(post(ask)).hear();
  assert.equal(answer.status, 429);
  assert.match(answer.head, /retry-after: 1/i);
  const limit = { jsonrpc: '2.0', id: 3, error: { code: -32005, message: 'the node is at its limit; try again later' } };
  assert.deepEqual(JSON.parse(answer.body), limit);
  const batch = await new Talk(t, node).say(post(`[${ask},${call(4)}]`)).hear();
  assert.deepEqual([batch.status, JSON.parse(batch.body)], [200, [limit, { jsonrpc: '2.0', id: 4, result: '0x7a69' }]]);
  const sent = await new Talk(t, node).say(post(call(5, 'eth_sendRawTransactionSync', sign(accounts[2], { nonce: 0 })))).hear();
  assert.equal(JSON.parse(sent.body).result?.status, '0x1', sent.body);
});
