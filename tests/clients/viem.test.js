import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  BaseError, CallExecutionError, ContractFunctionRevertedError, EstimateGasExecutionError, ExecutionRevertedError,
  FeeCapTooLowError, InsufficientFundsError, IntrinsicGasTooLowError, InvalidInputRpcError, InvalidParamsRpcError,
  MethodNotFoundRpcError, NonceTooLowError, createPublicClient,
  createWalletClient, defineChain, encodeFunctionData, fallback, http, keccak256, parseEther, parseEventLogs,
} from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { compile } from './compile.js'
import { Node, addresses, keys } from './node.js'

const { abi, bytecode } = compile('Sample')
let node, reader, writer, address

describe('viem', () => {
  before(async () => {
    node = await Node.start()
    const chain = defineChain({
      id: 31337, name: 'hanse', nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
      rpcUrls: { default: { http: [node.url] } },
    })
    const transport = http(node.url, { batch: true })
    reader = createPublicClient({ chain, transport, pollingInterval: 50 })
    writer = createWalletClient({ chain, transport, account: privateKeyToAccount(keys[0]) })
  })

  after(() => node?.stop())

  test('transfer and wait', async () => {
    const hash = await writer.sendTransaction({ to: addresses[1], value: parseEther('1') })
    const receipt = await reader.waitForTransactionReceipt({ hash })
    assert.equal(receipt.status, 'success')
    assert.equal(await reader.getBalance({ address: addresses[1] }), parseEther('10001'))
    const transaction = await reader.getTransaction({ hash })
    assert.equal(transaction.type, 'eip1559')
    assert.equal(transaction.value, parseEther('1'))
  })

  test('deploy, write, read, events', async () => {
    const deployment = await reader.waitForTransactionReceipt({ hash: await writer.deployContract({ abi, bytecode, args: [1n] }) })
    address = deployment.contractAddress
    const { request } = await reader.simulateContract({ address, abi, functionName: 'store', args: [5n, 6n], account: writer.account })
    const receipt = await reader.waitForTransactionReceipt({ hash: await writer.writeContract(request) })
    const [event] = parseEventLogs({ abi, logs: receipt.logs })
    assert.equal(event.eventName, 'Stored')
    assert.deepEqual(event.args, { by: addresses[0], key: 5n, value: 6n })
    assert.equal(await reader.readContract({ address, abi, functionName: 'values', args: [5n] }), 6n)
    const logs = await reader.getContractEvents({ address, abi, eventName: 'Stored', args: { key: [4n, 5n] }, fromBlock: 0n })
    assert.equal(logs.length, 1)
    assert.equal(logs[0].transactionHash, receipt.transactionHash)
  })

  test('reverts are decoded', async () => {
    const reverted = async (functionName, args = []) => {
      try {
        await reader.simulateContract({ address, abi, functionName, args, account: writer.account })
      } catch (error) {
        assert.ok(error instanceof BaseError)
        return error.walk((cause) => cause instanceof ContractFunctionRevertedError)
      }
      assert.fail('it did not revert')
    }
    assert.equal((await reverted('failWithReason')).reason, 'this is the reason')
    const custom = await reverted('failWithCustomError', [1n])
    assert.equal(custom.data.errorName, 'TooSmall')
    assert.deepEqual(custom.data.args, [1n, 10n])
    assert.match((await reverted('failWithPanic', [0n])).reason, /Division or modulo by zero/)
  })

  test('one round trip for many reads', async () => {
    const balances = await Promise.all(addresses.map((who) => reader.getBalance({ address: who })))
    assert.equal(balances.length, addresses.length)
    assert.ok(balances.every((balance) => balance > 0n))
  })

  test('state overrides', async () => {
    const value = await reader.readContract({
      address: addresses[3], abi, functionName: 'total',
      stateOverride: [{ address: addresses[3], code: await reader.getCode({ address }), stateDiff: [{ slot: `0x${'1'.padStart(64, '0')}`, value: `0x${'ff'.padStart(64, '0')}` }] }],
    })
    assert.equal(value, 255n)
  })

  test('set code (EIP-7702) by the account itself', async () => {
    const account = privateKeyToAccount(keys[3])
    const authorization = await writer.signAuthorization({ account, contractAddress: address, executor: 'self' })
    const hash = await writer.sendTransaction({ account, to: account.address, authorizationList: [authorization] })
    assert.equal((await reader.waitForTransactionReceipt({ hash })).status, 'success')
    assert.equal((await reader.getCode({ address: account.address })).toLowerCase(), `0xef0100${address.slice(2).toLowerCase()}`)
    assert.equal((await reader.getTransaction({ hash })).authorizationList.length, 1)
  })

  test('fee history and fees', async () => {
    const history = await reader.getFeeHistory({ blockCount: 3, rewardPercentiles: [25, 75] })
    assert.equal(history.baseFeePerGas.length, 4)
    assert.equal(history.reward.length, 3)
    const { maxFeePerGas } = await reader.estimateFeesPerGas()
    assert.ok(maxFeePerGas > 0n)
  })

  test('set code (EIP-7702) sponsored by another, and taken back', async () => {
    const authority = privateKeyToAccount(keys[4])
    const authorization = await writer.signAuthorization({ account: authority, contractAddress: address })
    const receipt = await writer.writeContractSync({
      abi, address: authority.address, functionName: 'store', args: [1n, 2n], authorizationList: [authorization],
    })
    assert.equal(receipt.type, 'eip7702')
    assert.equal(receipt.logs[0].address, authority.address.toLowerCase())
    assert.equal(await reader.readContract({ abi, address: authority.address, functionName: 'values', args: [1n] }), 2n)
    const none = await writer.signAuthorization({ account: authority, contractAddress: '0x0000000000000000000000000000000000000000' })
    await writer.sendTransactionSync({ to: authority.address, authorizationList: [none] })
    assert.equal(await reader.getCode({ address: authority.address }), undefined)
    assert.equal(await reader.getTransactionCount({ address: authority.address }), 2)
  })

  test('legacy, EIP-2930 and EIP-1559, each answered with its receipt (EIP-7966)', async () => {
    const accessList = [{ address, storageKeys: [`0x${'0'.repeat(64)}`] }]
    const gasPrice = (await reader.getGasPrice()) * 2n
    for (const [type, more] of [['legacy', { gasPrice }], ['eip2930', { gasPrice, accessList }], ['eip1559', { accessList }]]) {
      const request = await writer.prepareTransactionRequest({ to: addresses[1], value: 1n, type, ...more })
      const receipt = await writer.sendRawTransactionSync({ serializedTransaction: await writer.signTransaction(request) })
      assert.equal(receipt.status, 'success')
      assert.equal(receipt.type, type)
      const found = await reader.getTransaction({ hash: receipt.transactionHash })
      assert.equal(found.accessList?.length ?? 0, more.accessList ? 1 : 0)
    }
    const { accessList: wanted, gasUsed } = await reader.createAccessList({
      account: writer.account, to: address, data: encodeFunctionData({ abi, functionName: 'store', args: [1n, 2n] }),
    })
    assert.equal(wanted[0].storageKeys.length, 2)
    assert.ok(gasUsed > 21000n)
  })

  test('a receipt waited for through a list of nodes of which one is dead', async () => {
    const transport = fallback([http('http://127.0.0.1:1', { retryCount: 0 }), http(node.url)])
    const client = createPublicClient({ transport, pollingInterval: 20 })
    const nonce = await reader.getTransactionCount({ address: addresses[2] })
    const sender = { account: privateKeyToAccount(keys[2]), to: addresses[1], value: 1n, gas: 21000n }
    const hash = await writer.sendTransaction({ ...sender, nonce: nonce + 1 }) // it waits for the one before it
    const waited = client.waitForTransactionReceipt({ hash, confirmations: 2 })
    await writer.sendTransaction({ ...sender, nonce })
    await writer.sendTransactionSync({ to: addresses[1], value: 1n })
    assert.equal((await waited).transactionHash, hash)
    assert.ok((await client.getTransactionConfirmations({ hash })) >= 2n)
  })

  test('multicall without a contract for it', async () => {
    const one = { address, abi }
    const results = await reader.multicall({
      deployless: true,
      contracts: [{ ...one, functionName: 'values', args: [5n] }, { ...one, functionName: 'owner' }, { ...one, functionName: 'failWithCustomError', args: [2n] }],
    })
    assert.deepEqual(results.slice(0, 2).map(({ result }) => result), [6n, addresses[0]])
    assert.equal(results[2].error.cause.data.errorName, 'TooSmall')
  })

  test('proofs', async () => {
    const proof = await reader.getProof({ address, storageKeys: [`0x${'1'.padStart(64, '0')}`] })
    assert.equal(proof.storageProof[0].value, await reader.readContract({ address, abi, functionName: 'total' }))
    assert.equal(proof.codeHash, keccak256(await reader.getCode({ address })))
    const { stateRoot } = await reader.getBlock()
    assert.equal(keccak256(proof.accountProof[0]), stateRoot)
  })

  test('filters', async () => {
    const filters = {
      blocks: await reader.createBlockFilter(), pending: await reader.createPendingTransactionFilter(),
      events: await reader.createContractEventFilter({ address, abi, eventName: 'Stored', args: { key: 50n } }),
    }
    const receipt = await writer.writeContractSync({ address, abi, functionName: 'store', args: [50n, 1n] })
    const [blocks, pending, events] = await Promise.all(Object.values(filters).map((filter) => reader.getFilterChanges({ filter })))
    assert.deepEqual(blocks, [receipt.blockHash])
    assert.deepEqual(pending, [receipt.transactionHash])
    assert.deepEqual(events.map((event) => event.args.key), [50n])
    assert.equal((await reader.getFilterLogs({ filter: filters.events })).length, 1)
    for (const filter of Object.values(filters)) assert.equal(await reader.uninstallFilter({ filter }), true)
  })

  test('simulated calls and blocks', async () => {
    const stranger = '0x00000000000000000000000000000000000a11ce'
    const store = (value) => ({ to: address, abi, functionName: 'store', args: [60n, value] })
    const { results, assetChanges } = await reader.simulateCalls({
      account: addresses[0], traceAssetChanges: true,
      calls: [store(1n), { to: address, abi, functionName: 'failWithReason' }, { to: stranger, value: 9n }],
    })
    assert.deepEqual(results.map(({ status }) => status), ['success', 'failure', 'success'])
    assert.match(results[1].error.message, /this is the reason/)
    assert.equal(assetChanges[0].value.diff, -9n)
    const blocks = await reader.simulateBlocks({
      blocks: [
        { calls: [{ ...store(7n), from: addresses[0] }], stateOverrides: [{ address: stranger, balance: parseEther('2') }] },
        { blockOverrides: { time: 9999999999n }, calls: [{ to: address, abi, functionName: 'values', args: [60n] }, { from: stranger, to: addresses[1], value: parseEther('1') }] },
      ],
    })
    assert.equal(blocks.length, 2)
    assert.equal(blocks[1].number, blocks[0].number + 1n)
    assert.equal(blocks[1].timestamp, 9999999999n)
    assert.equal(blocks[1].calls[0].result, 7n)
    assert.equal(blocks[1].calls[1].status, 'success')
    assert.equal(await reader.readContract({ address, abi, functionName: 'values', args: [60n] }), 0n)
  })

  test('errors have the types that viem knows', async () => {
    const is = (promise, type) => assert.rejects(promise, (error) => {
      const found = error.walk((cause) => cause instanceof type)
      assert.ok(found, `${type.name} is not among the causes of ${error.name}: ${error.details}`)
      return true
    })
    const to = addresses[1]
    const known = { to, gas: 21000n, maxFeePerGas: parseEther('1', 'gwei') * 100n, maxPriorityFeePerGas: 1n }
    const nonce = await reader.getTransactionCount({ address: addresses[0] })
    const send = (request) => writer.sendTransaction({ ...known, nonce, ...request })
    await is(send({ nonce: 0 }), NonceTooLowError)
    await is(send({ gas: 20000n }), IntrinsicGasTooLowError)
    await is(send({ maxFeePerGas: 1n }), FeeCapTooLowError)
    await is(send({ value: parseEther('1000000000') }), InsufficientFundsError)
    const poor = privateKeyToAccount(generatePrivateKey())
    await is(writer.sendTransaction({ ...known, nonce: 0, account: poor }), InsufficientFundsError)
    await is(reader.estimateGas({ account: poor, to, value: 1n }), InsufficientFundsError)
    await is(reader.call({ account: poor, to, value: 1n }), InsufficientFundsError)
    const failing = { account: addresses[0], to: address, data: encodeFunctionData({ abi, functionName: 'failWithReason' }) }
    await is(reader.call(failing), CallExecutionError)
    await is(reader.call(failing), ExecutionRevertedError)
    await is(reader.estimateGas(failing), EstimateGasExecutionError)
    await is(reader.estimateGas(failing), ExecutionRevertedError)
    await is(reader.request({ method: 'eth_noSuchMethod' }), MethodNotFoundRpcError)
    await is(reader.request({ method: 'eth_getBalance', params: ['0x12', 'latest'] }), InvalidParamsRpcError)
    await is(writer.sendRawTransaction({ serializedTransaction: '0x02' }), InvalidInputRpcError)
    const gapped = { ...known, nonce: nonce + 5 }
    await send(gapped)
    await assert.rejects(send({ ...gapped, value: 1n }), (error) => /replacement transaction underpriced/.test(error.details))
    await assert.rejects(send(gapped), (error) => /already known/.test(error.details))
  })
})
