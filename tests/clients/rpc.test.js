// What the clients' libraries hide: batches, codes, texts, ledgers, the pool, restarts.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Transaction, Wallet, concat, encodeRlp, keccak256, toBeArray } from 'ethers'
import { Node, addresses, keys } from './node.js'

let node
const wallet = new Wallet(keys[0])
const other = new Wallet(keys[1])

function transfer(nonce, changes = {}) {
  return wallet.signTransaction({
    type: 2, chainId: 31337, nonce, to: addresses[1], value: 1n, gasLimit: 21000n,
    maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 0n, ...changes,
  })
}

// A transaction that ethers refuses to sign: its fields go into RLP by hand.
function rawTransfer(nonce, tip, most) {
  const fields = [toBeArray(31337), toBeArray(nonce), toBeArray(tip), toBeArray(most), toBeArray(21000), addresses[1], '0x01', '0x', []]
  const signature = wallet.signingKey.sign(keccak256(concat(['0x02', encodeRlp(fields)])))
  return concat(['0x02', encodeRlp([...fields, toBeArray(signature.yParity), toBeArray(signature.r), toBeArray(signature.s)])])
}

async function failure(raw) {
  const { error, result } = await node.rpc('eth_sendRawTransaction', [raw])
  assert.equal(result, undefined)
  return error
}

async function nonceOf(tag) {
  return Number(await node.ask('eth_getTransactionCount', [addresses[0], tag]))
}

describe('JSON-RPC', () => {
  before(async () => {
    node = await Node.start()
  })

  after(() => node?.stop())

  test('after the answer the receipt and the state are there', async () => {
    for (let i = 0; i < 20; i++) {
      const raw = await transfer(i)
      const hash = await node.ask('eth_sendRawTransaction', [raw])
      assert.equal(hash, Transaction.from(raw).hash)
      const [receipt, count, number] = await node.rpc([
        ['eth_getTransactionReceipt', [hash]], ['eth_getTransactionCount', [addresses[0], 'latest']], ['eth_blockNumber', []],
      ])
      assert.equal(receipt.result.status, '0x1')
      assert.equal(Number(count.result), i + 1)
      assert.ok(Number(number.result) >= Number(receipt.result.blockNumber))
    }
  })

  test('a batch of transactions, in order, from one sender', async () => {
    const first = await nonceOf('latest')
    const raws = await Promise.all(Array.from({ length: 100 }, (_, i) => transfer(first + i)))
    const answers = await node.rpc(raws.map((raw) => ['eth_sendRawTransaction', [raw]]))
    assert.ok(answers.every((answer, i) => answer.id === i && answer.result === Transaction.from(raws[i]).hash))
    assert.equal(await nonceOf('latest'), first + 100)
  })

  test('eth_sendRawTransactionSync answers with the receipt', async () => {
    const receipt = await node.ask('eth_sendRawTransactionSync', [await transfer(await nonceOf('latest'))])
    assert.equal(receipt.status, '0x1')
    assert.deepEqual(await node.ask('eth_getTransactionReceipt', [receipt.transactionHash]), receipt)
  })

  test('a gapped transaction waits in the pool', async () => {
    const nonce = await nonceOf('latest')
    const raw = await transfer(nonce + 1)
    const hash = await node.ask('eth_sendRawTransaction', [raw])
    assert.equal(await node.ask('eth_getTransactionReceipt', [hash]), null)
    const pending = await node.ask('eth_getTransactionByHash', [hash])
    assert.equal(pending.blockNumber, null)
    assert.equal(pending.from, addresses[0].toLowerCase())
    assert.equal(await nonceOf('pending'), nonce)
    assert.deepEqual(await node.ask('txpool_status'), { pending: '0x0', queued: '0x1' })
    assert.equal((await failure(raw)).message, 'already known')
    await node.ask('eth_sendRawTransaction', [await transfer(nonce)])
    for (let i = 0; i < 100 && (await nonceOf('latest')) !== nonce + 2; i++)
      await new Promise((resolve) => setTimeout(resolve, 10))
    assert.equal(await nonceOf('pending'), nonce + 2)
  })

  test('refusals in the words that clients match on', async () => {
    const nonce = await nonceOf('latest')
    const cases = [
      [await transfer(nonce - 1), /^(nonce too low|already known)/],
      [await transfer(0, { value: 77n }), /^nonce too low/],
      [await transfer(nonce, { value: 10n ** 24n }), /^insufficient funds for gas \* price \+ value/],
      [await transfer(nonce, { gasLimit: 20999n }), /^intrinsic gas too low/],
      [await transfer(nonce, { chainId: 1 }), /^invalid sender: invalid chain id for signer: have 1 want \d+$/],
      [rawTransfer(nonce, 10n ** 11n, 10n ** 10n), /^max priority fee per gas higher than max fee per gas/],
      [await transfer(nonce, { maxFeePerGas: 1n }), /^max fee per gas less than block base fee/],
      [await transfer(nonce, { gasLimit: 2n ** 40n }), /gas limit/],
    ]
    for (const [raw, text] of cases) {
      const error = await failure(raw)
      assert.match(error.message, text)
      assert.equal(error.code, -32000)
    }
    for (const raw of ['0x', '0x00', '0x05c0', '0xc0', '0x02c0', '0x' + 'ff'.repeat(100)]) assert.equal((await failure(raw)).code, -32000)
    assert.equal((await failure('0x123')).code, -32602)
    assert.equal((await failure('0xzz')).code, -32602)
    assert.equal((await failure('02')).code, -32602)
    assert.match((await failure('0x02' + '00'.repeat(200000))).message, /^oversized data/)
    const good = Transaction.from(await transfer(nonce))
    const high = (0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n - BigInt(good.signature.s)).toString(16).padStart(64, '0')
    const malleable = good.serialized.replace(good.signature.s.slice(2), high)
    assert.match((await failure(malleable)).message, /invalid sender|invalid signature/)
    assert.equal(await nonceOf('latest'), nonce)
  })

  test('both paths of the first ledger', async () => {
    const name = (await (await fetch(node.url)).text()).match(/ledger (\S+),/)[1]
    assert.equal((await node.rpc('eth_chainId', [], `/${name}`)).result, '0x7a69')
    assert.equal((await fetch(`${node.url}/nothing`)).status, 404)
  })

  test('logs: unknown blocks and ranges', async () => {
    const codes = async (filter) => (await node.rpc('eth_getLogs', [filter])).error?.code
    assert.equal(await codes({ fromBlock: '0x0', toBlock: '0xffffff' }), -32602)
    assert.equal(await codes({ fromBlock: '0x2', toBlock: '0x1' }), -32602)
    assert.equal(await codes({ blockHash: '0x' + '11'.repeat(32) }), -32000)
    assert.deepEqual(await node.ask('eth_getLogs', [{ fromBlock: 'earliest', toBlock: 'latest' }]), [])
  })

  test('past and unknown blocks', async () => {
    assert.equal((await node.ask('eth_getBalance', [addresses[0], '0x0'])), '0x21e19e0c9bab2400000')
    assert.equal((await node.rpc('eth_getBalance', [addresses[0], '0xffffff'])).error.code, -32000)
    assert.equal(await node.ask('eth_getBlockByNumber', ['0xffffff', false]), null)
    assert.equal(await node.ask('eth_getBlockByHash', ['0x' + '22'.repeat(32), false]), null)
    const genesis = await node.ask('eth_getBlockByNumber', ['earliest', false])
    assert.equal(genesis.number, '0x0')
    assert.deepEqual(await node.ask('eth_getBlockByHash', [genesis.hash, false]), genesis)
    assert.equal(await node.ask('eth_getBalance', [addresses[0], { blockHash: genesis.hash }]), '0x21e19e0c9bab2400000')
  })

  test('block hashes are chained, and receipts agree with blocks', async () => {
    const head = Number(await node.ask('eth_blockNumber'))
    let parent = (await node.ask('eth_getBlockByNumber', ['0x0', false])).hash
    for (let number = 1; number <= head; number++) {
      const block = await node.ask('eth_getBlockByNumber', [`0x${number.toString(16)}`, true])
      assert.equal(block.parentHash, parent)
      const receipts = await node.ask('eth_getBlockReceipts', [block.hash])
      assert.deepEqual(receipts.map((receipt) => receipt.transactionHash), block.transactions.map((transaction) => transaction.hash))
      assert.equal(receipts.at(-1).cumulativeGasUsed, block.gasUsed)
      parent = block.hash
    }
  })

  test('everything is there after SIGKILL', async () => {
    const hash = await node.ask('eth_sendRawTransaction', [await transfer(await nonceOf('latest'))])
    const receipt = await node.ask('eth_getTransactionReceipt', [hash])
    const head = await node.ask('eth_getBlockByNumber', ['latest', true])
    const balance = await node.ask('eth_getBalance', [other.address, 'latest'])
    await node.end('SIGKILL')
    await node.launch()
    assert.deepEqual(await node.ask('eth_getTransactionReceipt', [hash]), receipt)
    assert.deepEqual(await node.ask('eth_getBlockByNumber', ['latest', true]), head)
    assert.equal(await node.ask('eth_getBalance', [other.address, 'latest']), balance)
    await node.ask('eth_sendRawTransaction', [await transfer(await nonceOf('latest'))])
  })
})
