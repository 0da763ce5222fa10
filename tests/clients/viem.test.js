import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  BaseError, ContractFunctionRevertedError, createPublicClient, createWalletClient, defineChain, http, parseEther, parseEventLogs,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
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
})
