import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { compile } from './compile.js'
import { Node, addresses, keys } from './node.js'

// The program itself: the package's wrapper does not pass its exit status on.
const program = fileURLToPath(import.meta.resolve(`@foundry-rs/cast-${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}/bin/cast`))
const sample = compile('Sample')
let node, contract

async function cast(...args) {
  const { stdout } = await promisify(execFile)(program, args, { env: { ...process.env, ETH_RPC_URL: node.url, NO_COLOR: '1' } })
  return stdout.trim()
}

describe('cast', () => {
  before(async () => {
    node = await Node.start()
  })

  after(() => node?.stop())

  test('chain, balance, block', async () => {
    assert.equal(await cast('chain-id'), '31337')
    assert.equal(await cast('balance', '--ether', addresses[0]), '10000.000000000000000000')
    assert.equal(await cast('block-number'), '0')
    assert.match(await cast('client'), /^Hanse\//)
    assert.match(await cast('block', 'latest'), /stateRoot/)
    assert.ok(BigInt(await cast('gas-price')) > 0n)
  })

  test('send', async () => {
    const receipt = JSON.parse(await cast('send', '--json', '--private-key', keys[0], addresses[1], '--value', '1ether'))
    assert.equal(receipt.status, '0x1')
    assert.equal(await cast('balance', '--ether', addresses[1]), '10001.000000000000000000')
    assert.equal(await cast('nonce', addresses[0]), '1')
    assert.match(await cast('tx', receipt.transactionHash), /blockNumber/)
    assert.match(await cast('receipt', receipt.transactionHash), /status +1/)
  })

  test('create, call, send, logs', async () => {
    const argument = (await cast('abi-encode', 'f(uint256)', '7')).slice(2)
    const deployed = JSON.parse(await cast('send', '--json', '--private-key', keys[0], '--create', sample.bytecode + argument))
    contract = deployed.contractAddress
    assert.equal(await cast('call', contract, 'total()(uint256)'), '7')
    await cast('send', '--private-key', keys[0], contract, 'store(uint256,uint256)', '3', '4')
    assert.equal(await cast('call', contract, 'values(uint256)(uint256)', '3'), '4')
    assert.equal(await cast('storage', contract, '1'), '0x' + '8'.padStart(64, '0'))
    assert.match(await cast('logs', '--from-block', '0', '--address', contract, 'Stored(address indexed,uint256 indexed,uint256)'), /transactionHash/)
    assert.ok(Number(await cast('estimate', '--from', addresses[0], contract, 'store(uint256,uint256)', '8', '9')) > 21000)
  })

  test('reverts', async () => {
    await assert.rejects(cast('call', contract, 'failWithReason()'), (error) => {
      assert.match(error.stderr, /this is the reason/)
      return true
    })
  })

  test('legacy, blobless access list, and a 7702 delegation', async () => {
    const legacy = JSON.parse(await cast('send', '--json', '--legacy', '--private-key', keys[0], addresses[2], '--value', '1'))
    assert.equal(legacy.type, '0x0')
    const list = JSON.stringify([{ address: addresses[2], storageKeys: [] }])
    const listed = JSON.parse(await cast('send', '--json', '--access-list', list, '--private-key', keys[0], addresses[2], '--value', '1'))
    assert.ok(['0x1', '0x2'].includes(listed.type))
    const delegated = JSON.parse(await cast('send', '--json', '--private-key', keys[1], addresses[1], '--auth', contract))
    assert.equal(delegated.type, '0x4')
    assert.equal((await cast('code', addresses[1])).toLowerCase(), `0xef0100${contract.slice(2).toLowerCase()}`)
  })

  test('blocks, transactions and receipts, by field', async () => {
    const sent = JSON.parse(await cast('send', '--json', '--private-key', keys[2], contract, 'store(uint256,uint256)', '20', '21'))
    const number = String(Number(sent.blockNumber))
    assert.equal(await cast('block', number, '--field', 'hash'), sent.blockHash)
    assert.equal(JSON.parse(await cast('block', '--json', '--full', number)).transactions[0].hash, sent.transactionHash)
    assert.equal((await cast('tx', sent.transactionHash, 'from')).toLowerCase(), addresses[2].toLowerCase())
    assert.match(await cast('tx', '--raw', sent.transactionHash), /^0x02f8/)
    assert.equal(await cast('receipt', sent.transactionHash, 'blockNumber'), number)
    assert.equal(await cast('nonce', addresses[2]), '1')
    assert.equal(await cast('nonce', '--block', String(number - 1), addresses[2]), '0')
    assert.equal(Number(await cast('basefee', number)), Number(JSON.parse(await cast('rpc', 'eth_getBlockByNumber', sent.blockNumber, 'false')).baseFeePerGas))
    const logs = JSON.parse(await cast('logs', '--json', '--from-block', number, '--to-block', number, 'Stored(address indexed,uint256 indexed,uint256)', addresses[2], '20'))
    assert.equal(logs.length, 1)
    assert.equal(BigInt(logs[0].data), 21n)
  })

  test('rpc: any method, parameters as words or as JSON', async () => {
    assert.equal(JSON.parse(await cast('rpc', 'eth_getBalance', addresses[4], 'latest')), '0x21e19e0c9bab2400000')
    assert.equal(JSON.parse(await cast('rpc', '--raw', 'eth_getStorageAt', JSON.stringify([contract, '0x1', 'latest']))).length, 66)
    await assert.rejects(cast('rpc', 'eth_nothing'), (error) => /-32601/.test(error.stderr))
  })

  test('access list and proof', async () => {
    const list = JSON.parse(await cast('access-list', '--json', '--from', addresses[0], contract, 'store(uint256,uint256)', '1', '2'))
    assert.equal(list.accessList[0].address.toLowerCase(), contract.toLowerCase())
    assert.equal(list.accessList[0].storageKeys.length, 2)
    const proof = JSON.parse(await cast('proof', contract, '1'))
    assert.ok(proof.accountProof.length > 0)
    assert.equal(BigInt(proof.storageProof[0].value), BigInt(await cast('storage', contract, '1')))
    assert.equal(proof.codeHash, await cast('keccak', await cast('code', contract)))
    assert.equal(await cast('codehash', contract), proof.codeHash)
  })

  test('run: a transaction again in the EVM of cast; trace by the node', async () => {
    const sent = JSON.parse(await cast('send', '--json', '--private-key', keys[2], contract, 'storeMany(uint256)', '3'))
    const again = await cast('run', '--quick', sent.transactionHash)
    assert.match(again, /Transaction successfully executed/)
    assert.match(again, new RegExp(`Gas used: ${Number(sent.gasUsed)}`))
    const trace = await cast('call', '--trace', '--from', addresses[2], contract, 'store(uint256,uint256)', '1', '2')
    assert.match(trace, /Transaction successfully executed/)
  })

  test('a transaction signed by mktx and published', async () => {
    const raw = await cast('mktx', '--private-key', keys[2], addresses[4], '--value', '5')
    const hash = JSON.parse(await cast('publish', raw)).transactionHash
    assert.equal(await cast('receipt', hash, 'status'), 'true')
    assert.match((await cast('decode-transaction', raw)).toLowerCase(), new RegExp(addresses[2].toLowerCase()))
  })
})
