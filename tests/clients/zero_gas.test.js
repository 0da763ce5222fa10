// A ledger whose gas is free, as consortia run them: Besu's zeroBaseFee, and price 0 everywhere.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ContractFactory, JsonRpcProvider, Wallet } from 'ethers'
import { compile } from './compile.js'
import { Node } from './node.js'

const sample = compile('Sample')
let node, provider

describe('free of charge', () => {
  before(async () => {
    const forks = ['homestead', 'eip150', 'eip155', 'eip158', 'byzantium', 'constantinople', 'petersburg', 'istanbul', 'berlin', 'london']
    const config = { chainId: 4242, zeroBaseFee: true, terminalTotalDifficulty: 0, shanghaiTime: 0 }
    for (const fork of forks) config[`${fork}Block`] = 0
    node = await Node.start({
      genesis: { config, nonce: '0x0', timestamp: '0x0', extraData: '0x', gasLimit: '0x1c9c380', difficulty: '0x0', baseFeePerGas: '0x0', alloc: {} },
    })
    provider = new JsonRpcProvider(node.url, undefined, { cacheTimeout: -1 }) // its cache is older than our blocks
  })

  after(async () => {
    provider?.destroy()
    await node?.stop()
  })

  test('prices are 0', async () => {
    assert.equal(await node.ask('eth_gasPrice'), '0x0')
    assert.equal(await node.ask('eth_maxPriorityFeePerGas'), '0x0')
    assert.equal((await node.ask('eth_getBlockByNumber', ['latest', false])).baseFeePerGas, '0x0')
  })

  test('an account without money deploys and calls', async () => {
    const wallet = Wallet.createRandom().connect(provider)
    const contract = await new ContractFactory(sample.abi, sample.bytecode, wallet).deploy(1, { gasPrice: 0 })
    await contract.waitForDeployment()
    const receipt = await (await contract.store(1, 2, { gasPrice: 0 })).wait()
    assert.equal(receipt.status, 1)
    assert.equal(receipt.gasPrice, 0n)
    const second = await (await contract.store(1, 3, { maxFeePerGas: 0, maxPriorityFeePerGas: 0 })).wait()
    assert.equal(second.type, 2)
    assert.deepEqual([...(await contract.gasPriceAndBaseFee())], [0n, 0n])
    assert.equal(await provider.getBalance(wallet.address), 0n)
    assert.equal(await contract.values(1), 3n)
  })
})
