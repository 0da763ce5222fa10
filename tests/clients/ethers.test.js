import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Contract, ContractFactory, FallbackProvider, JsonRpcProvider, NonceManager, Wallet, WebSocketProvider, parseEther } from 'ethers'
import { compile } from './compile.js'
import { Node, addresses, keys, port, until } from './node.js'

const sample = compile('Sample')
let node, provider, wallet, contract

describe('ethers 6', () => {
  before(async () => {
    node = await Node.start({ arguments: ['--rpc-port', String(port)] })
    provider = new JsonRpcProvider(node.url, undefined, { cacheTimeout: -1 }) // its cache is older than our blocks
    wallet = new Wallet(keys[0], provider)
  })

  after(async () => {
    provider?.destroy()
    await node?.stop()
  })

  test('network and balances', async () => {
    assert.equal((await provider.getNetwork()).chainId, 31337n)
    assert.equal(await provider.getBalance(addresses[1]), parseEther('10000'))
    assert.equal(await provider.getBlockNumber(), 0)
    const fees = await provider.getFeeData()
    assert.ok(fees.maxFeePerGas > 0n)
  })

  test('transfer and wait', async () => {
    const target = Wallet.createRandom().address
    const before = await provider.getBalance(addresses[0])
    const sent = await wallet.sendTransaction({ to: target, value: parseEther('1.5') })
    const receipt = await sent.wait()
    assert.equal(receipt.status, 1)
    assert.equal(receipt.gasUsed, 21000n)
    assert.equal(await provider.getBalance(target), parseEther('1.5'))
    assert.equal(await provider.getBalance(addresses[0]), before - parseEther('1.5') - receipt.fee)
    const found = await provider.getTransaction(sent.hash)
    assert.equal(found.from, addresses[0])
    assert.equal(found.blockNumber, receipt.blockNumber)
    const block = await provider.getBlock(receipt.blockNumber, true)
    assert.equal(block.prefetchedTransactions[0].hash, sent.hash)
  })

  test('every type of transaction', async () => {
    const to = Wallet.createRandom().address
    const accessList = [{ address: to, storageKeys: ['0x' + '00'.repeat(32)] }]
    const gasPrice = (await provider.getFeeData()).gasPrice * 2n
    for (const request of [
      { type: 0, gasPrice }, { type: 1, gasPrice, accessList }, { type: 2, accessList },
    ]) {
      const receipt = await (await wallet.sendTransaction({ to, value: 1n, ...request })).wait()
      assert.equal(receipt.status, 1)
      assert.equal(receipt.type, request.type)
      const found = await provider.getTransaction(receipt.hash)
      assert.equal(found.type, request.type)
      assert.equal(found.accessList?.length ?? 0, request.accessList ? 1 : 0)
    }
    assert.equal(await provider.getBalance(to), 3n)
  })

  test('set code (EIP-7702): an account acts as a contract', async () => {
    const factory = new ContractFactory(sample.abi, sample.bytecode, wallet)
    const implementation = await (await factory.deploy(0)).waitForDeployment()
    const authority = new Wallet(keys[4], provider)
    const authorization = await authority.authorize({ address: await implementation.getAddress(), nonce: 0, chainId: 31337 })
    const receipt = await (
      await wallet.sendTransaction({
        type: 4, to: authority.address, authorizationList: [authorization],
        data: implementation.interface.encodeFunctionData('store', [7, 8]),
      })
    ).wait()
    assert.equal(receipt.status, 1)
    assert.equal(receipt.logs[0].address, authority.address)
    const code = await provider.getCode(authority.address)
    assert.equal(code.toLowerCase(), '0xef0100' + (await implementation.getAddress()).slice(2).toLowerCase())
    assert.equal(await new Contract(authority.address, sample.abi, provider).values(7), 8n)
  })

  test('deploy, write, read', async () => {
    contract = await new ContractFactory(sample.abi, sample.bytecode, wallet).deploy(42, { value: 5n })
    await contract.waitForDeployment()
    const address = await contract.getAddress()
    assert.equal(await contract.total(), 42n)
    assert.equal(await contract.owner(), addresses[0])
    assert.equal(await provider.getBalance(address), 5n)
    await (await contract.store(1, 2)).wait()
    assert.equal(await contract.values(1), 2n)
    assert.equal(BigInt(await provider.getStorage(address, 1)), 43n)
  })

  test('events', async () => {
    const receipt = await (await contract.storeMany(20)).wait()
    assert.equal(receipt.logs.length, 21)
    assert.deepEqual(receipt.logs.map((log) => log.index), Array.from({ length: 21 }, (_, i) => i))
    const stored = await contract.queryFilter(contract.filters.Stored(addresses[0], 7), receipt.blockNumber)
    assert.equal(stored.length, 1)
    assert.equal(stored[0].args.value, 8n)
    const all = await contract.queryFilter('*', 0)
    assert.equal(all.length, 22) // one of store, 21 of storeMany
    assert.equal((await contract.queryFilter(contract.filters.Plain()))[0].args.text, 'done')
    assert.equal((await contract.queryFilter(contract.filters.Stored(addresses[1]), 0)).length, 0)
  })

  test('reasons of reverts are decoded', async () => {
    await assert.rejects(contract.failWithReason(), (error) => error.reason === 'this is the reason')
    await assert.rejects(contract.failWithCustomError(3), (error) => {
      assert.equal(error.revert.name, 'TooSmall')
      assert.deepEqual([...error.revert.args], [3n, 10n])
      return true
    })
    await assert.rejects(contract.failWithPanic(0), (error) => error.reason.includes('0x12') || error.reason.includes('DIVIDE_BY_ZERO'))
    await assert.rejects(contract.failSilently(), { code: 'CALL_EXCEPTION' })
    await assert.rejects(contract.failWithReason.estimateGas(), (error) => error.reason === 'this is the reason')
  })

  test('a transaction that reverts is in a block with status 0', async () => {
    const sent = await wallet.sendTransaction({
      to: await contract.getAddress(), gasLimit: 100000, data: contract.interface.encodeFunctionData('failWithReason'),
    })
    await assert.rejects(sent.wait(), { code: 'CALL_EXCEPTION' })
    const receipt = await provider.getTransactionReceipt(sent.hash)
    assert.equal(receipt.status, 0)
  })

  test('a call that never ends runs out of gas', async () => {
    await assert.rejects(contract.burnGas.staticCall({ gasLimit: 1000000 }))
  })

  test('state of a past block', async () => {
    const past = await provider.getBlockNumber()
    const balance = await provider.getBalance(addresses[0])
    await (await contract.store(1, 99)).wait()
    assert.equal(await contract.values(1), 99n)
    assert.equal(await contract.values(1, { blockTag: past }), 1n + 1n)
    assert.equal(await provider.getBalance(addresses[0], past), balance)
    assert.notEqual(await provider.getBalance(addresses[0]), balance)
  })

  test('many at once, nonces counted by the client', async () => {
    const sender = new NonceManager(new Wallet(keys[2], provider))
    const target = Wallet.createRandom().address
    const sent = await Promise.all(Array.from({ length: 50 }, () => sender.sendTransaction({ to: target, value: 1n })))
    const receipts = await Promise.all(sent.map((transaction) => transaction.wait()))
    assert.ok(receipts.every((receipt) => receipt.status === 1))
    assert.equal(await provider.getBalance(target), 50n)
    assert.equal(await provider.getTransactionCount(addresses[2]), 50)
  })

  test('errors have the codes that ethers knows', async () => {
    const fees = await provider.getFeeData()
    const nonce = await wallet.getNonce()
    await assert.rejects(wallet.sendTransaction({ to: addresses[1], nonce: 0 }), { code: 'NONCE_EXPIRED' })
    const poor = Wallet.createRandom().connect(provider)
    await assert.rejects(
      poor.sendTransaction({ to: addresses[1], value: 1n, gasLimit: 21000, maxFeePerGas: fees.maxFeePerGas }),
      { code: 'INSUFFICIENT_FUNDS' },
    )
    await assert.rejects(poor.estimateGas({ to: addresses[1], value: 1n }), { code: 'INSUFFICIENT_FUNDS' })
    await assert.rejects(provider.call({ to: await contract.getAddress(), data: '0x12345678' }), { code: 'CALL_EXCEPTION', data: '0x' })
    await assert.rejects(provider.send('eth_noSuchMethod', []), { code: 'UNSUPPORTED_OPERATION' })
    const gapped = { to: addresses[1], nonce: nonce + 2, gasLimit: 21000, maxFeePerGas: fees.maxFeePerGas, maxPriorityFeePerGas: 10n }
    await wallet.sendTransaction({ ...gapped, value: 1n })
    await assert.rejects(wallet.sendTransaction({ ...gapped, value: 2n }), { code: 'REPLACEMENT_UNDERPRICED' })
    const replacement = await wallet.sendTransaction({
      ...gapped, value: 3n, maxFeePerGas: fees.maxFeePerGas * 2n, maxPriorityFeePerGas: 20n,
    })
    await wallet.sendTransaction({ to: addresses[1], nonce })
    await wallet.sendTransaction({ to: addresses[1], nonce: nonce + 1 })
    assert.equal((await replacement.wait()).status, 1)
  })

  test('listeners by polling: blocks, pending transactions, events, one transaction', async () => {
    const poller = new JsonRpcProvider(node.url, undefined, { cacheTimeout: -1, polling: true, pollingInterval: 20 })
    const filtering = new JsonRpcProvider(node.url, undefined, { cacheTimeout: -1, pollingInterval: 20 }) // by eth_newFilter
    try {
      const heard = { blocks: [], polled: [], filtered: [], pending: [] }
      await poller.on('block', (number) => heard.blocks.push(number))
      await contract.connect(poller).on('Stored', (by, key) => heard.polled.push(Number(key)))
      await contract.connect(filtering).on(contract.filters.Stored(addresses[0]), (event) => heard.filtered.push(Number(event.args.key)))
      await filtering.on('pending', (hash) => heard.pending.push(hash))
      const hashes = []
      await until(async () => {
        const sent = await contract.store(hashes.length, 1)
        hashes.push(sent.hash)
        await sent.wait()
        return Object.values(heard).every((list) => list.length > 0)
      }, 'something for each') // a listener begins when its first poll is through
      const { hash } = await contract.store(77, 1)
      const once = new Promise((resolve) => poller.once(hash, resolve))
      assert.equal((await once).hash, hash)
      await until(() => [heard.polled, heard.filtered].every((list) => list.includes(77)) && heard.pending.includes(hash), 'the last')
      assert.ok(heard.pending.slice(0, -1).every((one) => hashes.includes(one)))
    } finally {
      poller.destroy()
      filtering.destroy()
    }
  })

  test('several providers that must agree', async () => {
    const providers = [1, 2].map(() => new JsonRpcProvider(node.url, 31337, { staticNetwork: true, cacheTimeout: -1 }))
    const both = new FallbackProvider(providers.map((one) => ({ provider: one, weight: 1, stallTimeout: 30000 })), 31337, { quorum: 2 })
    try {
      assert.equal(await both.getBalance(addresses[1]), await provider.getBalance(addresses[1]))
      const receipt = await (await wallet.connect(both).sendTransaction({ to: addresses[1], value: 1n })).wait()
      assert.equal(receipt.status, 1)
    } finally {
      both.destroy()
      for (const one of providers) one.destroy()
    }
  })

  test('goes on after the node was started again', async () => {
    const poller = new JsonRpcProvider(node.url, 31337, { staticNetwork: true, cacheTimeout: -1, polling: true, pollingInterval: 20 })
    const sockets = []
    const listen = async (list) => {
      const socket = new WebSocketProvider(node.url.replace('http', 'ws'))
      socket.websocket.on('error', () => {})
      sockets.push(socket)
      await contract.connect(socket).on('Stored', (by, key) => list.push(Number(key)))
      await socket.getBlockNumber()
    }
    try {
      const [blocks, first, second] = [[], [], []]
      await poller.on('block', (number) => blocks.push(number))
      await listen(first)
      await (await contract.store(1, 1)).wait()
      await until(() => first.length === 1, 'an event')
      await node.end('SIGTERM')
      await node.launch()
      await listen(second)
      const receipt = await (await contract.store(2, 2)).wait()
      await until(() => second.length === 1 && blocks.includes(receipt.blockNumber), 'an event of the new life, and its block')
      assert.deepEqual([first, second], [[1], [2]])
      const numbers = (await contract.queryFilter(contract.filters.Stored(addresses[0], [1, 2]), receipt.blockNumber - 1)).map((event) => event.args.key)
      assert.deepEqual(numbers, [1n, 2n])
    } finally {
      poller.destroy()
      for (const socket of sockets) await socket.destroy()
    }
  })
})
