// JSON-RPC's rough side: malformed, huge and deep JSON, slow and half-open clients, while transactions keep flowing.
import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';

import { Sender } from './support/datagrams.js';
import { defer, patience, sleep, startNode, until } from './support/node.js';
import { accounts, sign, stranger } from './support/wallets.js';

const good = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] });

async function stillWorks(node) {
  assert.equal(await node.call('eth_chainId'), '0x7a69');
}

test('malformed JSON is a parse error, and invalid requests are told from it', async (t) => {
  const node = await startNode(t);
  const parse = ['', ' ', '{', '}', '[', '{"jsonrpc":"2.0"', 'nul', '{"a":1}}', '\0', '\xff\xfe', "{'a':1}", good + 'x', '"\\u12"', '[1,]'];
  for (const body of parse) {
    const { status, text } = await node.post(Buffer.from(body, 'latin1'));
    assert.equal(status, 200, body);
    const answer = JSON.parse(text);
    assert.deepEqual([answer.error.code, answer.id], [-32700, null], `${body} gives ${text}`);
  }
  const invalid = ['1', 'null', '"text"', '{}', '{"jsonrpc":"1.0","id":1,"method":"eth_chainId"}', '{"jsonrpc":"2.0","id":{},"method":"x"}', '{"jsonrpc":"2.0","id":1,"method":5}', '[]'];
  for (const body of invalid) {
    const answer = JSON.parse((await node.post(body)).text);
    assert.equal(answer.error.code, -32600, body);
  }
  assert.deepEqual(JSON.parse((await node.post('[1,2]')).text).map((one) => one.error.code), [-32600, -32600]);
  assert.equal((await node.ask('no_such_method')).error.code, -32601);
  for (const params of [[], ['0x1'], [1, 'latest'], {}, ['0x' + '11'.repeat(20), 'never'], ['0x' + '11'.repeat(20), {}, 1]])
    assert.equal((await node.ask('eth_getBalance', params)).error.code, -32602, JSON.stringify(params));
  await stillWorks(node);
});

test('hostile parameters of a submission are refused', async (t) => {
  const node = await startNode(t);
  for (const raw of ['0x', '', '0x0', '0xzz', 'f86c', 5, null, {}, [], '0x' + 'ff'.repeat(100)]) {
    const answer = await node.ask('eth_sendRawTransaction', [raw]);
    assert.ok(answer.error && [-32602, -32000].includes(answer.error.code), `${JSON.stringify(raw)}: ${JSON.stringify(answer)}`);
  }
  assert.equal(await node.call('eth_blockNumber'), '0x0');
  assert.equal(await node.call('eth_sendRawTransaction', [sign(accounts[0], { nonce: 0 })]).then((hash) => hash.length), 66);
});

test('huge bodies are refused by their size, also when they come in pieces', async (t) => {
  const node = await startNode(t, { args: ['--rpc-body', '100000'] });
  const large = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_call', params: ['x'.repeat(100000)] });
  const answer = await node.post(large).catch((error) => ({ status: error.cause?.code }));
  assert.ok([413, 'EPIPE', 'ECONNRESET', 'UND_ERR_SOCKET'].includes(answer.status), JSON.stringify(answer));
  // In chunks, without a length.
  const socket = net.connect(node.rpcPort, '127.0.0.1');
  let heard = '';
  let isClosed = false;
  socket.on('data', (data) => (heard += data));
  socket.on('error', () => {});
  socket.on('close', () => (isClosed = true));
  socket.write('POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n');
  const chunk = 'x'.repeat(10000);
  for (let i = 0; i < 100 && !isClosed; i++) {
    socket.write(`${chunk.length.toString(16)}\r\n${chunk}\r\n`);
    await sleep(1);
  }
  await until(() => isClosed, 'the connection is closed');
  assert.match(heard, /^HTTP\/1.1 413/);
  await stillWorks(node);
  const below = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [], pad: 'x'.repeat(99000) });
  assert.equal(JSON.parse((await node.post(below)).text).result, '0x7a69');
});

test('deep JSON is refused without being parsed', async (t) => {
  const node = await startNode(t);
  for (const depth of [65, 1000, 100000, 1000000]) {
    for (const [open, close] of [['[', ']'], ['{"a":', '}']]) {
      if (depth * open.length > 4000000) continue;
      for (const body of [open.repeat(depth) + '1' + close.repeat(depth), open.repeat(depth)]) {
        const answer = JSON.parse((await node.post(body)).text);
        assert.equal(answer.error.code, -32700, `${depth} ${open}`);
      }
    }
  }
  const nested = `{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":[${'['.repeat(50)}${']'.repeat(50)}]}`;
  assert.equal(JSON.parse((await node.post(nested)).text).error.code, -32602);
  await stillWorks(node);
});

test('batches have a bound', async (t) => {
  const node = await startNode(t, { args: ['--rpc-batch', '10'] });
  const batch = (count) => `[${Array(count).fill(good).join()}]`;
  assert.equal(JSON.parse((await node.post(batch(10))).text).length, 10);
  const [answer] = JSON.parse((await node.post(batch(11))).text);
  assert.deepEqual([answer.id, answer.error.code, answer.error.message], [1, -32600, 'batch too large']);
});

test('slow, silent and half-open clients keep nobody from their transactions', async (t) => {
  const node = await startNode(t, { args: ['--rpc-connections', '600'] });
  const sockets = [];
  defer(t, () => sockets.forEach((socket) => socket.destroy()));
  const connect = () => {
    const socket = net.connect(node.rpcPort, '127.0.0.1');
    socket.on('error', () => {});
    sockets.push(socket);
    return new Promise((resolve) => socket.once('connect', () => resolve(socket)));
  };
  const beginning = 'POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n{"jsonrpc"';
  const slow = [];
  for (let i = 0; i < 100; i++) {
    await connect(); // says nothing
    (await connect()).write('POST / HT'); // half a line
    const dripping = await connect(); // a body, byte by byte
    dripping.write(beginning);
    slow.push(dripping);
    const gone = await connect(); // asks, and closes its side before the answer
    gone.end(`POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${good.length}\r\n\r\n${good}`);
    const reset = await connect();
    reset.write(beginning);
    reset.resetAndDestroy?.();
  }
  const drip = setInterval(() => slow.forEach((socket) => socket.write(' ')), 20);
  defer(t, () => clearInterval(drip));
  const sender = new Sender(t, node.udpPort);
  const began = Date.now();
  for (let nonce = 0; nonce < 30; nonce++) {
    const raw = sign(accounts[0], { nonce, to: stranger(1), value: 1n });
    if (nonce % 2 === 0) assert.equal((await sender.submit(raw)).verdict, 'EXECUTED');
    else await node.call('eth_sendRawTransaction', [raw]);
  }
  assert.ok(Date.now() - began < 10000 * patience, `30 transactions took ${Date.now() - began} ms`);
  assert.equal(await node.balance(stranger(1)), 30n);
  // Answers nobody reads: requests without end on one connection.
  const deaf = await connect();
  deaf.pause();
  const many = `POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${good.length}\r\n\r\n${good}`.repeat(1000);
  for (let i = 0; i < 20; i++) deaf.write(many);
  await sleep(300);
  assert.equal((await sender.submit(sign(accounts[0], { nonce: 30 }))).verdict, 'EXECUTED');
  await stillWorks(node);
});

test('connections above the bound are told so and closed, those before go on', async (t) => {
  const node = await startNode(t, { args: ['--rpc-connections', '4'] });
  const sockets = [];
  defer(t, () => sockets.forEach((socket) => socket.destroy()));
  let closed = 0;
  let heard = '';
  for (let i = 0; i < 8; i++) {
    const socket = net.connect(node.rpcPort, '127.0.0.1');
    socket.on('error', () => {});
    socket.on('close', () => closed++);
    if (i >= 4) socket.on('data', (data) => (heard += data));
    sockets.push(socket);
    await new Promise((resolve) => socket.once('connect', resolve));
  }
  await until(() => closed === 4, 'four are closed');
  assert.equal(heard.match(/HTTP\/1.1 503 /g)?.length, 4, heard);
  assert.equal(heard.match(/retry-after: 1\r\n/g)?.length, 4);
  assert.equal(heard.match(/"code":-32005,"message":"too many connections; try again later"/g)?.length, 4);
  const answered = new Promise((resolve) => sockets[0].once('data', resolve));
  sockets[0].write(`POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${good.length}\r\n\r\n${good}`);
  assert.match(String(await answered), /0x7a69/);
  sockets.forEach((socket) => socket.destroy());
  await until(() => stillWorks(node).then(() => true, () => false), 'there is room again');
});

test('wrong methods, paths, hosts and content types are refused', async (t) => {
  const node = await startNode(t);
  assert.equal((await node.post(good, { path: '/nobody' })).status, 404);
  assert.equal((await fetch(node.url, { method: 'PUT', body: good })).status, 405);
  assert.equal((await node.post(good, { headers: { 'content-type': 'text/plain' } })).status, 415);
  const socket = net.connect(node.rpcPort, '127.0.0.1');
  const answer = new Promise((resolve) => socket.once('data', resolve));
  socket.write(`POST / HTTP/1.1\r\nhost: evil.example\r\ncontent-length: ${good.length}\r\n\r\n${good}`);
  assert.match(String(await answer), /^HTTP\/1.1 403/);
  socket.destroy();
  await stillWorks(node);
});
