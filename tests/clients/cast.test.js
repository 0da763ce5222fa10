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
})
