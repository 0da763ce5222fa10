import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { AbiCoder, Contract, HDNodeWallet, JsonRpcProvider, Wallet, parseEther, toUtf8Bytes } from 'ethers'
import { runCaliper } from './caliper/caliper.js'
import { compile } from './compile.js'
import { Node, addresses, keys } from './node.js'

const seed = 'accounts of the workers of Caliper'
const workers = 2
const accounts = 40
let node, provider

describe('Hyperledger Caliper', () => {
  before(async () => {
    node = await Node.start()
    provider = new JsonRpcProvider(node.url, undefined, { cacheTimeout: -1 })
    const giver = new Wallet(keys[1], provider)
    for (let i = 0; i < workers; i++) {
      const to = HDNodeWallet.fromSeed(toUtf8Bytes(seed)).derivePath(`m/44'/60'/${i}'/0/0`).address
      await (await giver.sendTransaction({ to, value: parseEther('100') })).wait()
    }
  })

  after(async () => {
    provider?.destroy()
    await node?.stop()
  })

  test('its simple workload over WebSocket has no failures', async () => {
    const contract = compile('Accounts')
    const round = (verb, amount, txNumber, tps) => ({
      label: verb, txNumber, rateControl: { type: 'fixed-rate', opts: { tps } }, arguments: { verb, amount, accounts },
    })
    const { rounds, output } = await runCaliper({
      url: node.url.replace('http', 'ws'), contract, seed, workers,
      deployer: { address: addresses[0], key: keys[0] },
      gas: { open: 200_000, query: 100_000 }, // that of transfer is estimated
      rounds: [round('open', 1000, workers * accounts, 50), round('query', 0, 160, 100), round('transfer', 3, 120, 100)],
    })
    assert.deepEqual(
      rounds.map(({ name, succeeded, failed }) => [name, succeeded, failed]),
      [['open', workers * accounts, 0], ['query', 160, 0], ['transfer', 120, 0]], output,
    )
    // What Caliper counted is in the ledger. A worker's 60 transfers go once and a half round its 40 accounts.
    const address = output.match(/Deployed contract accounts at (0x[0-9a-fA-F]{40})/)[1]
    const deployed = new Contract(address, contract.abi, provider)
    assert.equal(await deployed.count(), BigInt(workers * accounts))
    for (let i = 0; i < workers; i++) {
      const balances = await Promise.all([0, 7, 20].map((number) => deployed.query(`account ${i}/${number}`)))
      assert.deepEqual(balances, [997n, 1000n, 1003n])
    }
  })
})
