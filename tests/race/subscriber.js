// subscriber.js PORT: WebSockets that listen to everything a node tells, for a test of races. Ends when the node does,
// and says how many messages came; fails when there were none.
const net = require('node:net')
const subscriptions = [['newHeads'], ['logs', {}], ['newPendingTransactions'], ['newPendingTransactions', true], ['syncing']]
const mask = Buffer.alloc(4)
let heard = 0
let open = 3

function frame(text) {
  const body = Buffer.from(text)
  const size = body.length < 126 ? [0x80 | body.length] : [0xfe, body.length >> 8, body.length & 255]
  return Buffer.concat([Buffer.from([0x81, ...size]), mask, body]) // the mask is zero
}

for (let i = 0; i < 3; i++) {
  const socket = net.connect(Number(process.argv[2]), '127.0.0.1', () => {
    socket.write('GET / HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n')
    for (const [id, params] of subscriptions.entries())
      socket.write(frame(JSON.stringify({ jsonrpc: '2.0', id, method: 'eth_subscribe', params })))
    socket.write(frame(JSON.stringify({ jsonrpc: '2.0', id: 9, method: 'eth_newPendingTransactionFilter', params: [] })))
  })
  // Told, not answered: every notification has this word once.
  socket.on('data', (data) => (heard += data.toString('latin1').split('eth_subscription').length - 1))
  socket.on('error', () => {})
  socket.on('close', () => {
    if (--open !== 0) return
    console.log(`${heard} notifications`)
    process.exitCode = heard > 0 ? 0 : 1
  })
}
