// WebSocket clients: subscriptions, filters, and coming back after the node was started again. The `ws` package is the
// one that ethers brings: Node 18 has no WebSocket of its own.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, describe, test } from 'node:test'
import { Contract, ContractFactory, JsonRpcProvider, NonceManager, Wallet, WebSocketProvider } from 'ethers'
import { createPublicClient, createWalletClient, defineChain, http, parseAbiItem, parseEther, webSocket } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { compile } from './compile.js'
import { Node, addresses, keys, port, until } from './node.js'

const WebSocket = createRequire(createRequire(import.meta.url).resolve('ethers'))('ws')
const sample = compile('Sample')

// A bare connection: calls by id, notifications by subscription.
class Session {
  static async open(url, options) {
    const session = new Session()
    session.waiting = new Map()
    session.heard = new Map()
    session.messages = []
    session.next = 1
    session.socket = new WebSocket(url.replace('http', 'ws'), options)
    session.closed = new Promise((resolve) => session.socket.on('close', (code, reason) => resolve({ code, reason: String(reason) })))
    session.socket.on('message', (data) => session.take(JSON.parse(data)))
    await new Promise((resolve, reject) => session.socket.once('open', resolve).once('error', reject))
    return session
  }

  take(message) {
    this.messages.push(message)
    if (message.method === 'eth_subscription') {
      const { subscription, result } = message.params
      if (!this.heard.has(subscription)) this.heard.set(subscription, [])
      this.heard.get(subscription).push(result)
    } else {
      const key = Array.isArray(message) ? message[0].id : message.id
      this.waiting.get(key)?.(message)
    }
  }

  send(body, key) {
    const answer = new Promise((resolve) => this.waiting.set(key, resolve))
    this.socket.send(JSON.stringify(body))
    return answer
  }

  rpc(method, ...params) {
    const id = this.next++
    return this.send({ jsonrpc: '2.0', id, method, params }, id)
  }

  async ask(method, ...params) {
    const answer = await this.rpc(method, ...params)
    if (answer.error) throw new Error(`${method}: ${JSON.stringify(answer.error)}`)
    return answer.result
  }

  // A subscription's id, and the list that fills up with what it hears.
  async subscribe(...params) {
    const id = await this.ask('eth_subscribe', ...params)
    const list = this.heard.get(id) ?? []
    this.heard.set(id, list)
    return { id, list }
  }
}

describe('a bare WebSocket', () => {
  let node, session, sender, contract
  before(async () => {
    node = await Node.start({ arguments: ['--rpc-cors', 'https://good.example'] })
    session = await Session.open(node.url)
    sender = new NonceManager(new Wallet(keys[0], new JsonRpcProvider(node.url, undefined, { cacheTimeout: -1 })))
    contract = await new ContractFactory(sample.abi, sample.bytecode, sender).deploy(1)
    await contract.waitForDeployment()
  })
  after(async () => {
    session?.socket.terminate()
    await node?.stop()
  })

  test('calls and batches, in text and binary frames', async () => {
    assert.equal(await session.ask('eth_chainId'), '0x7a69')
    assert.equal((await session.rpc('eth_nothing')).error.code, -32601)
    const batch = [7001, 7002, 7003].map((id) => ({ jsonrpc: '2.0', id, method: 'eth_blockNumber', params: [] }))
    assert.deepEqual((await session.send(batch, 7001)).map((one) => one.id), [7001, 7002, 7003])
    const many = await Promise.all(Array.from({ length: 600 }, () => session.ask('eth_getBalance', addresses[1], 'latest')))
    assert.ok(many.every((balance) => balance === many[0]))
    const binary = new Promise((resolve) => session.waiting.set('b', resolve))
    session.socket.send(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 'b', method: 'eth_chainId' })), { binary: true })
    assert.equal((await binary).result, '0x7a69')
    session.socket.send('{')
    await until(() => session.messages.some((one) => one.error?.code === -32700 && one.id === null), 'a parse error')
  })

  test('pings are answered', async () => {
    const pong = new Promise((resolve) => session.socket.once('pong', resolve))
    session.socket.ping('hello')
    assert.equal(String(await pong), 'hello')
  })

  test('heads and logs: each block once, in order, the head as the block has it', async () => {
    const heads = await session.subscribe('newHeads')
    const address = await contract.getAddress()
    const logs = await session.subscribe('logs', { address })
    const stored = contract.interface.getEvent('Stored').topicHash
    const some = await session.subscribe('logs', { topics: [stored, null] })
    const none = await session.subscribe('logs', { address: addresses[1] })
    const first = Number(await session.ask('eth_blockNumber')) + 1
    const sent = await Promise.all(Array.from({ length: 40 }, (_, i) => contract.store(i, i, { gasLimit: 200000 })))
    const receipts = await Promise.all(sent.map((one) => one.wait()))
    const last = Math.max(...receipts.map((receipt) => receipt.blockNumber))
    await until(() => Number(heads.list.at(-1)?.number) >= last, 'the last head')
    await until(() => logs.list.length === 40 && some.list.length === 40, 'all logs')
    assert.deepEqual(heads.list.map((head) => Number(head.number)), Array.from({ length: last - first + 1 }, (_, i) => first + i))
    for (const [i, head] of heads.list.entries()) {
      const block = await session.ask('eth_getBlockByNumber', head.number, false)
      for (const name of Object.keys(head)) assert.deepEqual(head[name], block[name], name)
      if (i > 0) assert.equal(head.parentHash, heads.list[i - 1].hash)
      assert.equal(head.transactions, undefined)
    }
    const filter = { address, fromBlock: '0x' + first.toString(16), toBlock: '0x' + last.toString(16) }
    assert.deepEqual(logs.list, await session.ask('eth_getLogs', filter))
    assert.deepEqual(some.list, logs.list)
    assert.equal(none.list.length, 0)
    assert.equal(await session.ask('eth_unsubscribe', heads.id), true)
    assert.deepEqual((await session.rpc('eth_unsubscribe', heads.id)).error, { code: -32000, message: 'subscription not found' })
    const before = heads.list.length
    await (await contract.store(1, 1)).wait()
    await until(() => logs.list.length === 41, 'the log after')
    assert.equal(heads.list.length, before)
    for (const { id } of [logs, some, none]) assert.equal(await session.ask('eth_unsubscribe', id), true)
  })

  test('subscribed in a batch: the answer comes first, and nothing is missed', async () => {
    const calls = [
      { jsonrpc: '2.0', id: 8001, method: 'eth_subscribe', params: ['newHeads'] },
      { jsonrpc: '2.0', id: 8002, method: 'eth_sendRawTransactionSync', params: [await sender.signer.signTransaction(
        await sender.signer.populateTransaction({ to: addresses[2], value: 1n, nonce: await sender.getNonce() }))] },
    ]
    sender.increment()
    const [{ result: id }, { result: receipt }] = await session.send(calls, 8001)
    await until(() => session.heard.get(id)?.length, 'the head of the batch itself')
    assert.equal(session.heard.get(id)[0].hash, receipt.blockHash)
    const order = session.messages.map((one) => (Array.isArray(one) && one[0].id === 8001 ? 'answer' : one.params?.subscription === id ? 'head' : ''))
    assert.ok(order.indexOf('answer') < order.indexOf('head'))
    await session.ask('eth_unsubscribe', id)
  })

  test('pending transactions: hashes, and whole ones', async () => {
    const hashes = await session.subscribe('newPendingTransactions')
    const whole = await session.subscribe('newPendingTransactions', true)
    const filter = await session.ask('eth_newPendingTransactionFilter')
    const sent = []
    for (let i = 0; i < 5; i++) sent.push(await sender.sendTransaction({ to: addresses[1], value: BigInt(i + 1), gasLimit: 21000 }))
    await until(() => hashes.list.length === 5 && whole.list.length === 5, 'five of each')
    const wanted = sent.map((one) => one.hash)
    assert.deepEqual(hashes.list, wanted)
    assert.deepEqual(whole.list.map((one) => one.hash), wanted)
    assert.deepEqual(whole.list.map((one) => [one.from, BigInt(one.value), one.blockNumber]), sent.map((one) => [one.from.toLowerCase(), one.value, null]))
    assert.deepEqual(await session.ask('eth_getFilterChanges', filter), wanted)
    assert.deepEqual(await session.ask('eth_getFilterChanges', filter), [])
    for (const { id } of [hashes, whole]) assert.equal(await session.ask('eth_unsubscribe', id), true)
    await session.ask('eth_uninstallFilter', filter)
  })

  test('what cannot be subscribed to', async () => {
    const http = async (method, ...params) => (await node.rpc(method, params)).error
    assert.deepEqual(await http('eth_subscribe', 'newHeads'), { code: -32601, message: 'notifications not supported' })
    assert.deepEqual((await session.rpc('eth_subscribe', 'news')).error, { code: -32601, message: 'no "news" subscription in eth namespace' })
    assert.equal((await session.rpc('eth_subscribe', 'logs', { address: '0x1' })).error.code, -32602)
    assert.equal((await session.rpc('eth_subscribe')).error.code, -32602)
    const { id } = await session.subscribe('syncing')
    assert.equal(await session.ask('eth_unsubscribe', id), true)
  })

  test('filters over HTTP', async () => {
    const call = (method, ...params) => node.ask(method, params)
    const address = await contract.getAddress()
    const first = await call('eth_blockNumber')
    const logs = await call('eth_newFilter', { address })
    const old = await call('eth_newFilter', { address, fromBlock: first, toBlock: 'latest' })
    const blocks = await call('eth_newBlockFilter')
    for (const id of [logs, old, blocks]) assert.deepEqual(await call('eth_getFilterChanges', id), [])
    const receipts = []
    for (let i = 0; i < 3; i++) receipts.push(await (await contract.store(i, 9)).wait())
    assert.deepEqual((await call('eth_getFilterChanges', logs)).map((log) => log.transactionHash), receipts.map((one) => one.hash))
    assert.deepEqual((await call('eth_getFilterLogs', old)).map((log) => log.transactionHash).slice(-3), receipts.map((one) => one.hash))
    assert.deepEqual(await call('eth_getFilterChanges', blocks), receipts.map((one) => one.blockHash))
    assert.deepEqual(await call('eth_getFilterChanges', blocks), [])
    const gone = { code: -32000, message: 'filter not found' }
    assert.deepEqual((await node.rpc('eth_getFilterLogs', [blocks])).error, gone)
    for (const id of [logs, old, blocks]) assert.equal(await call('eth_uninstallFilter', id), true)
    assert.equal(await call('eth_uninstallFilter', logs), false)
    assert.deepEqual((await node.rpc('eth_getFilterChanges', [logs])).error, gone)
    assert.deepEqual((await node.rpc('eth_getFilterChanges', ['0x1'])).error, gone)
  })

  test('eth_sendRawTransactionSync (EIP-7966)', async () => {
    const signed = async (nonce) => sender.signer.signTransaction(await sender.signer.populateTransaction({ to: addresses[3], value: 1n, nonce, gasLimit: 21000 }))
    const nonce = await sender.getNonce()
    const receipt = await session.ask('eth_sendRawTransactionSync', await signed(nonce), 3000)
    assert.equal(receipt.status, '0x1')
    assert.deepEqual(await session.ask('eth_getTransactionReceipt', receipt.transactionHash), receipt)
    const ahead = (await session.rpc('eth_sendRawTransactionSync', await signed(nonce + 5), '0x3e8')).error
    assert.equal(ahead.code, 5)
    assert.match(ahead.data, /^0x[0-9a-f]{64}$/)
    assert.equal((await session.ask('eth_getTransactionByHash', ahead.data)).blockNumber, null)
    assert.equal((await session.rpc('eth_sendRawTransactionSync', await signed(nonce))).error.code, -32000)
    sender.reset()
  })

  test('origins that are not on the list are refused', async () => {
    const good = await Session.open(node.url, { origin: 'https://good.example' })
    good.socket.close()
    assert.equal((await good.closed).code, 1005)
    await assert.rejects(Session.open(node.url, { origin: 'https://evil.example' }), /403/)
    await assert.rejects(Session.open(node.url, { headers: { host: 'evil.example' } }), /403/)
    await assert.rejects(Session.open(node.url + '/nobody'), /404/)
  })
})

describe('WebSocket libraries', () => {
  let node
  before(async () => (node = await Node.start()))
  after(() => node?.stop())
  const chainOf = (url) => defineChain({
    id: 31337, name: 'hanse', nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [url], webSocket: [url.replace('http', 'ws')] } },
  })

  test('ethers 6: a provider with block and event listeners', async () => {
    const provider = new WebSocketProvider(() => new WebSocket(node.url.replace('http', 'ws')), undefined, { cacheTimeout: -1 })
    try {
      const wallet = new NonceManager(new Wallet(keys[0], provider))
      const blocks = []
      await provider.on('block', (number) => blocks.push(number))
      const pending = []
      await provider.on('pending', (hash) => pending.push(hash))
      const contract = await (await new ContractFactory(sample.abi, sample.bytecode, wallet).deploy(7)).waitForDeployment()
      const events = []
      await contract.on('Stored', (who, key, value) => events.push([key, value]))
      await provider.getBlockNumber() // the subscription above is answered by then
      for (let i = 0; i < 5; i++) await (await contract.store(i, i * 2)).wait()
      await until(() => events.length === 5 && blocks.length >= 6 && pending.length >= 6, 'events, blocks and pending ones')
      assert.deepEqual(events.map(([key]) => Number(key)), [0, 1, 2, 3, 4])
      assert.deepEqual(blocks, blocks.map((_, i) => blocks[0] + i))
    } finally {
      await provider.destroy()
    }
  })

  test('viem: watchers over webSocket, and filters over http', async () => {
    globalThis.WebSocket ??= WebSocket // Node 18; viem brings a package for it, which finds this one
    const chain = chainOf(node.url)
    const transport = webSocket(node.url.replace('http', 'ws'), { reconnect: false })
    const reader = createPublicClient({ chain, transport })
    const writer = createWalletClient({ chain, transport, account: privateKeyToAccount(keys[1]) })
    const asked = []
    const onFetchRequest = (_, { body }) => void asked.push(String(body))
    const polling = createPublicClient({ chain, transport: http(node.url, { onFetchRequest }), pollingInterval: 20 })
    const heads = []
    const pending = []
    const polled = []
    const events = []
    const deployed = await reader.waitForTransactionReceipt({ hash: await writer.deployContract({ abi: sample.abi, bytecode: sample.bytecode, args: [1n] }) })
    const address = deployed.contractAddress
    const stop = [
      reader.watchBlocks({ onBlock: (block) => heads.push(block.number) }),
      reader.watchPendingTransactions({ onTransactions: (hashes) => pending.push(...hashes) }),
      reader.watchContractEvent({ address, abi: sample.abi, eventName: 'Stored', onLogs: (logs) => events.push(...logs) }),
      polling.watchContractEvent({ address, abi: sample.abi, eventName: 'Stored', onLogs: (logs) => polled.push(...logs) }),
    ]
    await sleep(300) // the watchers subscribe behind our back
    const hashes = []
    for (let i = 0; i < 5; i++) {
      hashes.push(await writer.writeContract({ address, abi: sample.abi, functionName: 'store', args: [BigInt(i), 1n] }))
      await reader.waitForTransactionReceipt({ hash: hashes[i] })
    }
    await until(() => events.length === 5 && polled.length === 5 && heads.length >= 5, 'events and heads')
    assert.deepEqual(events.map((log) => log.transactionHash), hashes)
    assert.deepEqual(polled.map((log) => log.transactionHash), hashes)
    assert.ok(hashes.every((hash) => pending.includes(hash)))
    for (const each of stop) each()
    // It goes on polling for ever when the node is gone before its filter is.
    await until(() => asked.some((body) => body.includes('eth_uninstallFilter')), 'the filter given back')
    await sleep(500)
    ;(await reader.transport.getRpcClient()).close()
  })
})

describe('a node that is stopped and started again', () => {
  test('clients hear the farewell, come back, and miss no event', async () => {
    const node = await Node.start({ arguments: ['--rpc-port', String(port)] })
    try {
      const url = node.url
      const wallet = new Wallet(keys[0], new JsonRpcProvider(url, 31337, { cacheTimeout: -1, staticNetwork: true }))
      let session = await Session.open(url)
      const before = await session.subscribe('newHeads')
      await (await wallet.sendTransaction({ to: addresses[1], value: 1n, nonce: 0 })).wait()
      await until(() => before.list.length === 1, 'a head')
      await node.end('SIGTERM')
      assert.deepEqual(await session.closed, { code: 1001, reason: 'the node is stopping' })
      await node.launch()
      assert.equal(node.url, url)
      session = await Session.open(url)
      const behind = await session.subscribe('newHeads')
      await (await wallet.sendTransaction({ to: addresses[1], value: 1n, nonce: 1 })).wait()
      await until(() => behind.list.length === 1, 'a head of the new life')
      assert.equal(behind.list[0].parentHash, before.list[0].hash)

      // viem comes back by itself, after a delay in which the node must have come up, and subscribes again.
      globalThis.WebSocket ??= WebSocket
      const client = createPublicClient({ transport: webSocket(url.replace('http', 'ws'), { reconnect: { delay: 5000 }, keepAlive: false }) })
      const numbers = []
      const unwatch = client.watchBlockNumber({ onBlockNumber: (number) => numbers.push(number), onError: () => {} })
      await sleep(300)
      await (await wallet.sendTransaction({ to: addresses[1], value: 1n, nonce: 2 })).wait()
      await until(() => numbers.includes(3n), 'block 3')
      await node.end('SIGTERM')
      await node.launch()
      await until(() => client.getChainId().then((id) => id === 31337, () => false), 'the client is back')
      await (await wallet.sendTransaction({ to: addresses[1], value: 1n, nonce: 3 })).wait()
      await until(() => numbers.includes(4n), 'block 4')
      unwatch()
      ;(await client.transport.getRpcClient()).close()
      session.socket.terminate()
    } finally {
      await node.stop()
    }
  })
})
