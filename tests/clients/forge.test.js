// foundry's forge in a project of its own, folder foundry/; it compiles with npm's solc through solc.js.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { Node, addresses, keys } from './node.js'

const program = fileURLToPath(
  import.meta.resolve(`@foundry-rs/forge-${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}/bin/forge`))
const compiler = fileURLToPath(new URL('solc.js', import.meta.url))
let node, project, scripted

async function forge(args, variables = {}) {
  const env = { ...process.env, HOME: project, HANSE_URL: node.url, NO_COLOR: '1', FOUNDRY_SOLC: compiler, ...variables }
  try {
    return (await promisify(execFile)(program, args, { cwd: project, maxBuffer: 1 << 24, env })).stdout
  } catch (error) {
    throw new Error(`${error.message}\n${error.stdout}${error.stderr}`)
  }
}

describe('forge', () => {
  before(async () => {
    node = await Node.start()
    project = mkdtempSync(join(tmpdir(), 'hanse-forge-'))
    cpSync(new URL('foundry', import.meta.url), project, { recursive: true })
  })
  after(async () => {
    if (project) rmSync(project, { recursive: true, force: true })
    await node?.stop()
  })
  const remote = () => ['--rpc-url', 'hanse', '--private-key', keys[0], '--broadcast']

  test('create', async () => {
    const made = JSON.parse(await forge(['create', 'src/Counter.sol:Counter', '--json', ...remote(), '--value', '3', '--constructor-args', '6']))
    assert.equal(made.deployer, addresses[0])
    assert.equal(await node.ask('eth_getBalance', [made.deployedTo, 'latest']), '0x3')
    assert.equal(BigInt(await node.ask('eth_getStorageAt', [made.deployedTo, '0x0', 'latest'])), 6n)
    assert.equal((await node.ask('eth_getTransactionReceipt', [made.transactionHash])).status, '0x1')
  })

  test('script --broadcast: three transactions, one after the other', async () => {
    for (const how of [[], ['--legacy'], ['--slow']]) {
      const output = await forge(['script', 'script/Deploy.s.sol', ...remote(), ...how])
      assert.match(output, /ONCHAIN EXECUTION COMPLETE & SUCCESSFUL/)
      const record = JSON.parse(readFileSync(join(project, 'broadcast/Deploy.s.sol/31337/run-latest.json'), 'utf8'))
      assert.deepEqual(record.receipts.map((receipt) => receipt.status), ['0x1', '0x1', '0x1'])
      scripted = record.receipts[0].contractAddress
      assert.equal(BigInt(await node.ask('eth_getStorageAt', [scripted, '0x0', 'latest'])), 42n)
    }
  })

  test('test --fork-url: state of the node in the EVM of forge', async () => {
    const output = await forge(['test', '--fork-url', node.url], { COUNTER: scripted })
    assert.match(output, /4 passed/)
  })
})
