// Uniswap v2 as its authors compiled it.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Contract, JsonRpcProvider, Wallet, ZeroAddress, getCreate2Address, keccak256, parseEther, solidityPackedKeccak256 } from 'ethers'
import { artifact, deploy, provenSlot, send, slotOf, word } from './chain.js'
import { Node, addresses, keys } from './node.js'

const [me] = addresses
const core = (name) => artifact(`@uniswap/v2-core/build/${name}.json`)
const periphery = (name) => artifact(`@uniswap/v2-periphery/build/${name}.json`)
const pairArtifact = core('UniswapV2Pair')
const never = 2n ** 40n // a deadline
const unit = 10n ** 18n

// What the constant product leaves for an amount, and what it wants for one; three thousandths are the fee.
const outOf = (amount, reserveIn, reserveOut) => (amount * 997n * reserveOut) / (reserveIn * 1000n + amount * 997n)
const inFor = (amount, reserveIn, reserveOut) => (reserveIn * amount * 1000n) / ((reserveOut - amount) * 997n) + 1n

function root(value) {
  let guess = value
  for (let next = (guess + 1n) / 2n; next < guess; next = (guess + value / guess) / 2n) guess = next
  return guess
}

let node, provider, wallet, factory, weth, router, one, two, pair, first
let swap // the receipt of a swap of 5 of one for two

// [reserve of one, reserve of two]
async function reserves(where = pair) {
  const [low, high] = await where.getReserves()
  return first ? [low, high] : [high, low]
}

describe('Uniswap v2', () => {
  before(async () => {
    node = await Node.start()
    provider = new JsonRpcProvider(node.url, undefined, { cacheTimeout: -1 })
    wallet = new Wallet(keys[0], provider)
    factory = await deploy(wallet, core('UniswapV2Factory'), me)
    weth = await deploy(wallet, periphery('WETH9'))
    router = await deploy(wallet, periphery('UniswapV2Router02'), factory.at, weth.at)
    one = await deploy(wallet, core('ERC20'), 1_000_000n * unit)
    two = await deploy(wallet, core('ERC20'), 1_000_000n * unit)
    for (const token of [one, two]) await send(token, 'approve', router.at, 2n ** 256n - 1n)
    first = BigInt(one.at) < BigInt(two.at)
  })

  after(async () => {
    provider?.destroy()
    await node?.stop()
  })

  test('liquidity makes a pair at the address that CREATE2 gives', async () => {
    const [a, b] = [1000n * unit, 4000n * unit]
    await send(router, 'addLiquidity', one.at, two.at, a, b, 0, 0, me, never)
    const order = first ? [one.at, two.at] : [two.at, one.at]
    const salt = solidityPackedKeccak256(['address', 'address'], order)
    const at = getCreate2Address(factory.at, salt, keccak256(pairArtifact.bytecode))
    assert.equal(await factory.getPair(one.at, two.at), at)
    pair = new Contract(at, pairArtifact.abi, wallet)
    pair.at = at
    assert.equal(await pair.balanceOf(me), root(a * b) - 1000n)
    assert.equal(await pair.balanceOf(ZeroAddress), 1000n)
    assert.deepEqual(await reserves(), [a, b])
    assert.equal((await factory.queryFilter('PairCreated'))[0].args.pair, at)
  })

  test('swaps both ways give what the constant product says', async () => {
    const [a, b] = await reserves()
    const had = await two.balanceOf(me)
    const out = outOf(5n * unit, a, b)
    assert.deepEqual([...(await router.getAmountsOut(5n * unit, [one.at, two.at]))], [5n * unit, out])
    swap = await send(router, 'swapExactTokensForTokens', 5n * unit, out, [one.at, two.at], me, never)
    assert.equal((await two.balanceOf(me)) - had, out)
    assert.deepEqual(await reserves(), [a + 5n * unit, b - out])
    const names = swap.logs.map((log) => pair.interface.parseLog(log).name)
    assert.deepEqual(names.filter((name) => name !== 'Approval'), ['Transfer', 'Transfer', 'Sync', 'Swap'])
    const [c, d] = await reserves()
    const before = await two.balanceOf(me)
    await send(router, 'swapTokensForExactTokens', 7n * unit, 100n * unit, [two.at, one.at], me, never)
    assert.equal(before - (await two.balanceOf(me)), inFor(7n * unit, d, c))
  })

  test('ether goes in and out through its token', async () => {
    await send(router, 'addLiquidityETH', one.at, 300n * unit, 0, 0, me, never, { value: parseEther('3') })
    const out = outOf(parseEther('1'), parseEther('3'), 300n * unit)
    const had = await one.balanceOf(me)
    await send(router, 'swapExactETHForTokens', out, [weth.at, one.at], me, never, { value: parseEther('1') })
    assert.equal((await one.balanceOf(me)) - had, out)
    const back = outOf(out, 300n * unit - out, parseEther('4'))
    await send(router, 'swapExactTokensForETH', out, back, [one.at, weth.at], addresses[4], never)
    assert.equal(await provider.getBalance(addresses[4]), parseEther('10000') + back)
    assert.equal(await provider.getBalance(weth.at), parseEther('4') - back)
  })

  test('what is refused says why: called, estimated and in a block', async () => {
    const refused = [5n * unit, 2n ** 200n, [one.at, two.at], me, never]
    const reason = 'UniswapV2Router: INSUFFICIENT_OUTPUT_AMOUNT'
    const why = (error) => error.reason === reason
    await assert.rejects(router.swapExactTokensForTokens.staticCall(...refused), why)
    await assert.rejects(router.swapExactTokensForTokens.estimateGas(...refused), why)
    const sent = await router.swapExactTokensForTokens(...refused, { gasLimit: 500_000 })
    await assert.rejects(sent.wait(), { code: 'CALL_EXCEPTION' })
    assert.equal((await provider.getTransactionReceipt(sent.hash)).status, 0)
    const trace = await provider.send('debug_traceTransaction', [sent.hash, { tracer: 'callTracer' }])
    assert.equal(trace.error, 'execution reverted')
    assert.equal(trace.revertReason, reason)
    await assert.rejects(router.swapExactTokensForTokens.staticCall(unit, 0, [one.at, two.at], me, 1), (error) => error.reason === 'UniswapV2Router: EXPIRED')
    await assert.rejects(pair.swap.staticCall(0, 1, me, '0x'), (error) => error.reason === 'UniswapV2: INSUFFICIENT_INPUT_AMOUNT')
  })

  test('price accumulators follow the reserves and the time', async () => {
    const { timestamp } = await provider.getBlock('latest')
    while (Date.now() / 1000 < timestamp + 2) await new Promise((resolve) => setTimeout(resolve, 100))
    await send(pair, 'sync')
    let [sum0, sum1, last] = [0n, 0n, null]
    for (const log of await pair.queryFilter('Sync', 0)) {
      const time = BigInt((await log.getBlock()).timestamp)
      if (last) {
        sum0 += ((last.reserve1 << 112n) / last.reserve0) * (time - last.time)
        sum1 += ((last.reserve0 << 112n) / last.reserve1) * (time - last.time)
      }
      last = { time, reserve0: log.args.reserve0, reserve1: log.args.reserve1 }
    }
    assert.ok(sum0 > 0n)
    assert.equal(await pair.price0CumulativeLast(), sum0)
    assert.equal(await pair.price1CumulativeLast(), sum1)
  })

  test("a swap's trace is the tree that the source says", async () => {
    const trace = await provider.send('debug_traceTransaction', [swap.hash, { tracer: 'callTracer', tracerConfig: { withLog: true } }])
    const names = new Map([[router.at, 'router'], [pair.at, 'pair'], [one.at, 'one'], [two.at, 'two']].map(([at, name]) => [at.toLowerCase(), name]))
    const parsed = [router, pair, one]
    const tree = (call) => {
      const method = parsed.map((each) => each.interface.parseTransaction({ data: call.input })).find((found) => found)
      return [`${call.type} ${names.get(call.to)}.${method.name}`, ...(call.calls ?? []).map(tree)]
    }
    const balances = first ? ['one', 'two'] : ['two', 'one']
    assert.deepEqual(tree(trace), [
      'CALL router.swapExactTokensForTokens', ['STATICCALL pair.getReserves'], ['CALL one.transferFrom'],
      ['CALL pair.swap', ['CALL two.transfer'], ...balances.map((name) => [`STATICCALL ${name}.balanceOf`])],
    ])
    assert.equal(BigInt(trace.gasUsed), swap.gasUsed)
    const logs = (call) => (call.logs?.length ?? 0) + (call.calls ?? []).reduce((sum, inner) => sum + logs(inner), 0)
    assert.equal(logs(trace), swap.logs.length)
  })

  test('the difference of state is that of the balances; a proof shows it', async () => {
    const config = { tracer: 'prestateTracer', tracerConfig: { diffMode: true } }
    const { pre, post } = await provider.send('debug_traceTransaction', [swap.hash, config])
    for (const [token, holder] of [[one, me], [one, pair.at], [two, me], [two, pair.at]]) {
      const slot = slotOf('address', holder, 1) // balanceOf follows totalSupply
      const at = token.at.toLowerCase()
      const [was, is] = await Promise.all([swap.blockNumber - 1, swap.blockNumber].map((blockTag) => token.balanceOf(holder, { blockTag })))
      assert.notEqual(was, is)
      assert.equal(BigInt(pre[at].storage[slot] ?? 0), was)
      assert.equal(BigInt(post[at].storage[slot]), is)
    }
    const block = await provider.getBlockNumber()
    assert.equal(await provenSlot(provider, two.at, slotOf('address', me, 1), block), await two.balanceOf(me))
    assert.equal(await provenSlot(provider, two.at, slotOf('address', addresses[3], 1), block), 0n)
    assert.equal(await provider.getStorage(two.at, slotOf('address', me, 1)), word(await two.balanceOf(me)))
  })

  test('an access list costs the gas that was foretold (EIP-2930)', async () => {
    const data = one.interface.encodeFunctionData('transfer', [addresses[3], 5])
    const { accessList, gasUsed } = await provider.send('eth_createAccessList', [{ from: me, to: one.at, data }, 'latest'])
    assert.equal(accessList.length, 1)
    assert.equal(accessList[0].address, one.at.toLowerCase())
    assert.deepEqual([...accessList[0].storageKeys].sort(), [me, addresses[3]].map((who) => slotOf('address', who, 1)).sort())
    const { gasPrice } = await provider.getFeeData()
    const receipt = await (await wallet.sendTransaction({ type: 1, to: one.at, data, accessList, gasPrice: gasPrice * 2n })).wait()
    assert.equal(receipt.type, 1)
    assert.equal(receipt.gasUsed, BigInt(gasUsed))
  })
})
