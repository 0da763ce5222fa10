// Traces of a transaction that goes through two contracts, against what the contracts' source says (contracts/Relay.sol).
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Contract, ContractFactory, Interface, JsonRpcProvider, Wallet, toBeHex, toQuantity } from 'ethers'
import { compile } from './compile.js'
import { Node, keys } from './node.js'

const relayed = compile('Relay')
const inner = compile('Relay', 'Inner')
const its = new Interface(inner.abi)
const lower = (text) => text.toLowerCase()
const word = (value) => toBeHex(value, 32)
let node, provider, wallet, relay, sent, receipt, addresses

const trace = (options) => node.ask('debug_traceTransaction', [sent.hash, options])

describe('traces say what the source says', () => {
  before(async () => {
    node = await Node.start()
    provider = new JsonRpcProvider(node.url, undefined, { cacheTimeout: -1 })
    wallet = new Wallet(keys[0], provider)
    relay = await new ContractFactory(relayed.abi, relayed.bytecode, wallet).deploy({ value: 100n })
    await relay.waitForDeployment()
    sent = await relay.run(7)
    receipt = await sent.wait()
    addresses = {
      sender: lower(wallet.address), relay: lower(await relay.getAddress()), inner: lower(await relay.inner()), made: lower(await relay.made()),
    }
  })
  after(async () => {
    provider?.destroy()
    await node?.stop()
  })

  test('callTracer: every call, in order, with input, output, value and logs', async () => {
    const top = await trace({ tracer: 'callTracer', tracerConfig: { withLog: true } })
    const { sender, relay: from, inner: to, made } = addresses
    const event = (name, at, args) => {
      const { data, topics } = its.encodeEventLog(name, args)
      return { address: at, topics, data }
    }
    assert.deepEqual([top.type, top.from, top.to, top.value, top.input], ['CALL', sender, from, '0x0', relay.interface.encodeFunctionData('run', [7])])
    assert.equal(BigInt(top.gasUsed), receipt.gasUsed)
    assert.equal(BigInt(top.gas), sent.gasLimit)
    assert.deepEqual(top.logs.map((log) => log.topics[0]), [relay.interface.getEvent('Ran').topicHash])
    const keep = (value) => its.encodeFunctionData('keep', [value])
    const wanted = [
      { type: 'CALL', from, to, value: '0x3', input: keep(7), output: word(14), logs: [event('Kept', to, [from, 7])] },
      { type: 'STATICCALL', from, to, input: its.encodeFunctionData('kept'), output: word(7) },
      { type: 'STATICCALL', from, to, input: its.encodeFunctionData('refuse', [7]), output: its.encodeErrorResult('Refused', [7]), error: 'execution reverted' },
      { type: 'DELEGATECALL', from, to, value: '0x0', input: keep(8), output: word(16), logs: [event('Kept', from, [sender, 8])] },
      { type: 'CREATE', from, to: made, value: '0x0', input: inner.bytecode, output: await provider.getCode(made) },
    ]
    assert.equal(top.calls.length, wanted.length)
    for (const [i, expected] of wanted.entries()) {
      const seen = Object.fromEntries(Object.keys(expected).map((name) => [name, top.calls[i][name]]))
      if (seen.logs) seen.logs = seen.logs.map(({ address, topics, data }) => ({ address, topics, data }))
      assert.deepEqual(seen, expected, `call ${i}`)
    }
    const short = await trace({ tracer: 'callTracer', tracerConfig: { onlyTopCall: true } })
    assert.equal(short.calls, undefined)
  })

  test('flatCallTracer: the same tree, with places', async () => {
    const flat = await trace({ tracer: 'flatCallTracer' })
    assert.deepEqual(flat.map((one) => one.traceAddress), [[], [0], [1], [2], [3], [4]])
    assert.deepEqual(flat.map((one) => one.action.callType ?? one.type), ['call', 'call', 'staticcall', 'staticcall', 'delegatecall', 'create'])
    assert.equal(flat[0].subtraces, 5)
    assert.match(flat[3].error, /revert/i)
    assert.equal(lower(flat[5].result.address), addresses.made)
  })

  test('prestateTracer: what was there, and what became of it', async () => {
    const { relay: from, inner: to, made } = addresses
    const before = await trace({ tracer: 'prestateTracer' })
    assert.equal(before[from].balance, '0x64')
    assert.equal(lower(before[from].storage[word(1)]).slice(-40), to.slice(2))
    assert.ok(before[from].code.length > 2)
    const { pre, post } = await trace({ tracer: 'prestateTracer', tracerConfig: { diffMode: true } })
    assert.deepEqual([pre[from].balance, post[from].balance, post[to].balance], ['0x64', '0x61', '0x3'])
    assert.deepEqual(post[to].storage, { [word(0)]: word(7) })
    assert.deepEqual(post[from].storage, {
      [word(0)]: word(8), [word(2)]: word(14), [word(3)]: word(1), [word(4)]: '0x' + made.slice(2).padStart(64, '0'),
    })
    assert.equal(pre[made], undefined)
    assert.equal(post[made].code, await provider.getCode(made))
  })

  test('4byteTracer: the functions that were called', async () => {
    const called = await trace({ tracer: '4byteTracer' })
    const selector = (name) => its.getFunction(name).selector
    assert.deepEqual(called, {
      [`${relay.interface.getFunction('run').selector}-32`]: 1, [`${selector('keep')}-32`]: 2,
      [`${selector('kept')}-0`]: 1, [`${selector('refuse')}-32`]: 1,
    })
  })

  test('struct logs: what was stored, step by step', async () => {
    const { structLogs, gas, failed, returnValue } = await trace({ enableMemory: false })
    assert.equal(failed, false)
    assert.equal(BigInt(gas), receipt.gasUsed)
    assert.equal(returnValue, '0x')
    const stores = structLogs.filter((step) => step.op === 'SSTORE').map(({ depth, stack }) => [depth, BigInt(stack.at(-1)), BigInt(stack.at(-2))])
    assert.deepEqual(stores, [
      [2, 0n, 7n], [1, 2n, 14n], [1, 3n, 1n], [2, 0n, 8n], [1, 4n, BigInt(addresses.made)],
    ])
    const calls = structLogs.filter((step) => /CALL|CREATE/.test(step.op) && !/CALLDATA|CALLVALUE|CALLER/.test(step.op)).map((step) => step.op)
    assert.deepEqual(calls, ['CALL', 'STATICCALL', 'STATICCALL', 'DELEGATECALL', 'CREATE'])
  })

  test('the same of a call, and of the block', async () => {
    const call = { from: addresses.sender, to: addresses.relay, data: sent.data }
    const before = toQuantity(receipt.blockNumber - 1)
    const asked = await node.ask('debug_traceCall', [call, before, { tracer: 'callTracer' }])
    const done = await trace({ tracer: 'callTracer' })
    const shape = ({ type, from, to, input, output, error, calls }) => ({ type, from, to, input, output, error, calls: calls?.map(shape) })
    assert.deepEqual(shape(asked), shape(done))
    const [only] = await node.ask('debug_traceBlockByNumber', [toQuantity(receipt.blockNumber), { tracer: 'callTracer' }])
    assert.deepEqual(only, { txHash: sent.hash, result: done })
    assert.equal(await new Contract(addresses.made, inner.abi, provider).kept(), 0n)
  })
})
