// JSON-RPC over TLS, and compressed WebSockets, with the clients that people use.
import assert from 'node:assert/strict';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import tls from 'node:tls';
import zlib from 'node:zlib';

import { WebSocketProvider } from 'ethers';
import WebSocket from 'ws';

import { makeCertificate, Secure } from './support/certificates.js';
import { frame, handshake } from './support/frames.js';
import { defer, refusedNode, run, startNode, until, workFolder } from './support/node.js';
import { accounts, sign, stranger } from './support/wallets.js';

const call = (id, method, ...params) => JSON.stringify({ jsonrpc: '2.0', id, method, params });

test('HTTPS: calls, transactions and large answers; versions below 1.2 and plain text are refused', async (t) => {
  const pair = makeCertificate(workFolder(t));
  const node = await startNode(t, { args: pair.args });
  assert.match(node.stdout, /JSON-RPC +https:\/\//);
  const client = new Secure(node, pair);
  defer(t, () => client.close());
  assert.equal((await client.ask('eth_chainId')).result, '0x7a69');
  assert.equal((await client.ask('eth_sendRawTransactionSync', [sign(accounts[0], { nonce: 0, to: stranger(1), value: 5n })])).result.status, '0x1');
  const batch = JSON.parse((await client.post(`[${Array(1000).fill(call(1, 'eth_getBlockByNumber', 'latest', true)).join()}]`)).text);
  assert.equal(batch.filter((one) => one.result?.number === '0x1').length, 1000);
  assert.equal((await client.post('', { method: 'GET' })).protocol, 'TLSv1.3');
  const older = new Secure(node, pair, { maxVersion: 'TLSv1.2' });
  assert.equal((await older.post(call(1, 'eth_chainId'))).protocol, 'TLSv1.2');
  older.close();
  const ancient = new Secure(node, pair, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });
  await assert.rejects(ancient.post(call(1, 'eth_chainId')));
  const plain = net.connect(node.rpcPort, '127.0.0.1');
  defer(t, () => plain.destroy());
  plain.on('error', () => {});
  plain.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
  plain.resume();
  await until(() => plain.destroyed, 'plain text is ended');
  // fetch, which trusts by its environment; and nobody else is trusted.
  const script = `fetch('https://localhost:${node.rpcPort}', { method: 'POST', body: '${call(1, 'eth_chainId')}', headers: { 'content-type': 'application/json' } }).then((r) => r.text()).then(console.log, (e) => console.log(e.cause.code))`;
  assert.match((await run(['-e', script], { command: process.execPath, env: { NODE_EXTRA_CA_CERTS: pair.certificate } })).stdout, /"result":"0x7a69"/);
  assert.match((await run(['-e', script], { command: process.execPath })).stdout, /SELF_SIGNED/);
  const { alpnProtocol } = await new Promise((resolve) => {
    const socket = tls.connect({ port: node.rpcPort, host: '127.0.0.1', ca: pair.ca, ALPNProtocols: ['h2', 'http/1.1'] }, () => resolve(socket));
    defer(t, () => socket.destroy());
  });
  assert.equal(alpnProtocol, 'http/1.1');
});

test('WSS, compressed, with ethers: transactions, blocks that are told, and a farewell', async (t) => {
  const pair = makeCertificate(workFolder(t));
  const node = await startNode(t, { args: [...pair.args, '--rpc-websocket-compression'] });
  let socket;
  const provider = new WebSocketProvider(() => (socket = new WebSocket(`wss://localhost:${node.rpcPort}`, { ca: pair.ca, perMessageDeflate: true })));
  defer(t, () => provider.destroy());
  const heard = [];
  provider.on('block', (number) => heard.push(number));
  const wallet = accounts[0].connect(provider);
  for (let i = 1; i <= 5; i++) assert.equal((await (await wallet.sendTransaction({ to: stranger(i), value: 1n, nonce: i - 1 })).wait()).status, 1);
  await until(() => heard.length >= 5, 'blocks are told');
  assert.match(socket.extensions, /^permessage-deflate/);
});

test('a certificate or key that cannot be used is named, and the node does not run', async (t) => {
  const folder = workFolder(t);
  const [one, two] = ['one', 'two'].map((name) => makeCertificate(folder, name));
  const start = (...args) => refusedNode(t, ['--dev', '--data', path.join(folder, 'data'), '--cores', '2', ...args]);
  for (const [args, what] of [
    [['--rpc-tls-certificate', one.certificate, '--rpc-tls-key', two.key], `${two.key}: is not the private key of ${one.certificate}`],
    [['--rpc-tls-certificate', path.join(folder, 'none'), '--rpc-tls-key', two.key], `${folder}/none: No such file or directory`],
    [['--rpc-tls-certificate', one.certificate], 'rpc.tls.certificate and rpc.tls.key belong together'],
  ]) {
    const answer = await start(...args);
    assert.equal(answer.code, 1, answer.stderr);
    assert.ok(answer.stderr.includes(what), answer.stderr);
    assert.doesNotMatch(answer.stderr, /BEGIN|PRIVATE KEY-/);
  }
});

const talk = (t, node, options) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${node.rpcPort}`, options);
    defer(t, () => socket.terminate());
    socket.answers = [];
    socket.on('upgrade', (response) => (socket.agreed = response.headers['sec-websocket-extensions'] ?? ''));
    socket.on('message', (data) => socket.answers.push(JSON.parse(data)));
    socket.on('open', () => resolve(socket)).on('error', reject);
  });

test('permessage-deflate: parameters, windows, both ways; and only when it is configured', async (t) => {
  const node = await startNode(t, { args: ['--rpc-websocket-compression'] });
  const large = `[${Array(300).fill(call(1, 'eth_getBlockByNumber', 'latest', false)).join()}]`;
  for (const [options, extensions] of [
    [true, 'permessage-deflate; server_no_context_takeover; client_no_context_takeover'],
    [{ serverMaxWindowBits: 9, threshold: 0 }, 'permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9'],
    [{ serverNoContextTakeover: true, clientNoContextTakeover: true, threshold: 0 }, 'permessage-deflate; server_no_context_takeover; client_no_context_takeover'],
    [false, ''],
  ]) {
    const socket = await talk(t, node, { perMessageDeflate: options });
    assert.equal(socket.agreed, extensions);
    for (let i = 0; i < 3; i++) socket.send(large);
    await until(() => socket.answers.length === 3, 'three answers');
    for (const answer of socket.answers) assert.equal(answer.filter((one) => one.result.number === '0x0').length, 300);
  }
  const plain = await startNode(t);
  const socket = await talk(t, plain, { perMessageDeflate: true });
  assert.equal(socket.agreed, '');
  socket.send(call(1, 'eth_chainId'));
  await until(() => socket.answers.length === 1, 'an answer');
});

test('permessage-deflate: bombs and broken streams close the connection, and cost nothing', async (t) => {
  const node = await startNode(t, { args: ['--rpc-websocket-compression', '--rpc-body', '100000'] });
  const pack = (data) => zlib.deflateRawSync(data, { finishFlush: zlib.constants.Z_SYNC_FLUSH }).subarray(0, -4);
  const open = async () => {
    const raw = { bytes: Buffer.alloc(0), isClosed: false, socket: net.connect(node.rpcPort, '127.0.0.1') };
    defer(t, () => raw.socket.destroy());
    raw.socket.on('data', (data) => (raw.bytes = Buffer.concat([raw.bytes, data]))).on('error', () => {}).on('close', () => (raw.isClosed = true));
    raw.socket.write(handshake({ headers: { 'sec-websocket-extensions': 'permessage-deflate' } }));
    const end = await until(() => raw.bytes.indexOf('\r\n\r\n') + 1, 'the handshake') + 3;
    assert.match(raw.bytes.subarray(0, end).toString(), /^HTTP\/1.1 101 [^]*sec-websocket-extensions: permessage-deflate/i);
    raw.bytes = raw.bytes.subarray(end);
    return raw;
  };
  const good = pack(call(1, 'eth_chainId'));
  for (const [bytes, first, code] of [
    [frame(good, 0xc1), 0x81],
    [Buffer.concat([frame(good.subarray(0, 9), 0x41), frame('', 0x89), frame(good.subarray(9), 0x80)]), 0x8a],
    [frame(pack(' '.repeat(100001)), 0xc1), 0x88, 1009],
    [frame(pack(Buffer.alloc(50000000)), 0xc1), 0x88, 1009],
    [frame(Buffer.alloc(1000, 0xff), 0xc1), 0x88, 1007],
    [frame(good.subarray(0, 20), 0xc1), 0x88, 1007],
    [frame(pack(Buffer.from([0xff, 0xfe])), 0xc1), 0x88, 1007],
    [frame('', 0xc9), 0x88, 1002],
    [Buffer.concat([frame(good.subarray(0, 9), 0x41), frame(good.subarray(9), 0xc0)]), 0x88, 1002],
    [frame(good, 0xe1), 0x88, 1002],
  ]) {
    const raw = await open();
    raw.socket.write(bytes);
    await until(() => raw.bytes.length >= 4, 'an answer');
    assert.equal(raw.bytes[0], first, raw.bytes.toString('latin1'));
    if (code === undefined) continue;
    assert.equal(raw.bytes.readUInt16BE(2), code, bytes.subarray(0, 20).toString('hex'));
    await until(() => raw.isClosed, 'and it is closed');
  }
  assert.equal(await node.call('eth_chainId'), '0x7a69');
});
