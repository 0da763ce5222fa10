// WebSocket frames as bytes, the good and the bad.
const mask = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

// A client's frame, masked; `first` is its first byte.
export function frame(payload, first = 0x81) {
  const body = Buffer.from(payload);
  const size = Buffer.alloc(body.length < 126 ? 1 : body.length < 65536 ? 3 : 9);
  size[0] = 0x80 | (size.length === 1 ? body.length : size.length === 3 ? 126 : 127);
  if (size.length === 3) size.writeUInt16BE(body.length, 1);
  if (size.length === 9) size.writeBigUInt64BE(BigInt(body.length), 1);
  return Buffer.concat([Buffer.from([first]), size, mask, body.map((byte, i) => byte ^ mask[i % 4])]);
}

// What opens a WebSocket.
export function handshake({ path = '/', headers = {} } = {}) {
  const all = { host: 'localhost', connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', ...headers };
  const lines = Object.entries(all).filter(([, value]) => value !== null).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}
