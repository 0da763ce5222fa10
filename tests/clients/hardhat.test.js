// hardhat's own program in a project of its own, folder hardhat/.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Node, addresses } from './node.js'

const require = createRequire(import.meta.url)
const program = join(dirname(require.resolve('hardhat/package.json')), require('hardhat/package.json').bin.hardhat)
const project = fileURLToPath(new URL('hardhat', import.meta.url))
let node, scratch

function hardhat(args, input = '') {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: project,
    env: {
      ...process.env, HANSE_URL: node.url, HARDHAT_SCRATCH: scratch, HARDHAT_DISABLE_TELEMETRY_PROMPT: 'true', NO_COLOR: '1',
      NODE_REPL_HISTORY: '', XDG_CONFIG_HOME: scratch, XDG_CACHE_HOME: scratch, XDG_DATA_HOME: scratch, XDG_STATE_HOME: scratch,
    },
  })
  child.stdin.end(input)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text))
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, output })))
}

describe('hardhat', () => {
  before(async () => {
    node = await Node.start()
    scratch = mkdtempSync(join(tmpdir(), 'hanse-hardhat-'))
  })
  after(async () => {
    if (scratch) rmSync(scratch, { recursive: true, force: true })
    await node?.stop()
  })

  test('test: a project compiled and its tests passed', async () => {
    const { status, output } = await hardhat(['test', '--network', 'hanse'])
    assert.equal(status, 0, output)
    assert.match(output, /Compiled 1 Solidity file/)
    assert.match(output, /\b6 passing/)
  })

  test('run: a script that deploys', async () => {
    const { status, output } = await hardhat(['run', 'scripts/deploy.js', '--network', 'hanse'])
    assert.equal(status, 0, output)
    const [, address] = output.match(/Vault at (0x\w{40}) with 11 wei/)
    assert.equal(await node.ask('eth_getBalance', [address, 'latest']), '0xb')
  })

  test('console', async () => {
    // What does not come from a terminal is taken for one script.
    const script = `(async () => {
      console.log('chain', (await ethers.provider.getNetwork()).chainId)
      console.log('signer', (await ethers.getSigners())[1].address)
      console.log('block', (await network.provider.send('eth_getBlockByNumber', ['latest', false])).number)
    })()`
    const { status, output } = await hardhat(['console', '--network', 'hanse'], script)
    assert.equal(status, 0, output)
    assert.match(output, /chain 31337n/)
    assert.match(output, new RegExp(`signer ${addresses[1]}`))
    assert.match(output, /block 0x\w+/)
  })
})
