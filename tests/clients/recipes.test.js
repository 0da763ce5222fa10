// The snippets of pipeline/rpc/RECIPES.md, run as they stand there; only the node's address and the compiler are ours.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { Node, addresses, keys } from './node.js'
import { snippets } from './snippets.js'

const here = fileURLToPath(new URL('.', import.meta.url))
const machine = `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`
const tools = ['forge', 'cast'].map((name) => join(here, `node_modules/@foundry-rs/${name}-${machine}/bin`))
const wanted = [
  'add-network.js', // run in a page, by browser.test.js
  'hardhat.config.js', 'hardhat.sh', 'foundry.toml', 'foundry.sh', 'ethers.mjs', 'viem.mjs', 'web3.mjs',
]

describe('recipes', () => {
  let node, scratch, texts

  async function run(program, args, folder = scratch) {
    const env = {
      ...process.env, PATH: [...tools, join(here, 'node_modules/.bin'), process.env.PATH].join(delimiter), HOME: scratch, NO_COLOR: '1',
      PRIVATE_KEY: keys[0], OTHER_PRIVATE_KEY: keys[1], FOUNDRY_SOLC: join(here, 'solc.js'), FOUNDRY_OFFLINE: 'true',
      HARDHAT_DISABLE_TELEMETRY_PROMPT: 'true', XDG_DATA_HOME: scratch, XDG_CACHE_HOME: scratch, XDG_CONFIG_HOME: scratch, XDG_STATE_HOME: scratch,
    }
    try {
      return (await promisify(execFile)(program, args, { cwd: folder, maxBuffer: 1 << 24, env })).stdout
    } catch (error) {
      throw new Error(`${error.message}\n${error.stdout}${error.stderr}`)
    }
  }

  before(async () => {
    node = await Node.start()
    scratch = mkdtempSync(join(tmpdir(), 'hanse-recipes-'))
    symlinkSync(join(here, 'node_modules'), join(scratch, 'node_modules'))
    cpSync(join(here, 'hardhat'), join(scratch, 'hardhat'), { recursive: true })
    cpSync(join(here, 'foundry'), join(scratch, 'foundry'), { recursive: true })
    texts = new Map([...snippets()].map(([name, text]) => [name, text.replaceAll('127.0.0.1:8545', new URL(node.url).host)]))
  })
  after(async () => {
    if (scratch) rmSync(scratch, { recursive: true, force: true })
    await node?.stop()
  })

  test('every snippet is one that is run', () => {
    assert.deepEqual([...texts.keys()], wanted)
  })

  for (const name of ['ethers.mjs', 'viem.mjs', 'web3.mjs'])
    test(name, async () => {
      const before = BigInt(await node.ask('eth_getBalance', [addresses[1], 'latest']))
      writeFileSync(join(scratch, name), texts.get(name))
      assert.match(await run(process.execPath, [name]), /^in block \d+/)
      assert.equal(BigInt(await node.ask('eth_getBalance', [addresses[1], 'latest'])), before + 10n ** 18n)
    })

  test('hardhat', async () => {
    const folder = join(scratch, 'hardhat')
    cpSync(join(folder, 'hardhat.config.js'), join(folder, 'ours.js'))
    // Only the compiler's place is taken from our own configuration: without a network, none is fetched.
    writeFileSync(join(folder, 'hardhat.config.js'), `require('./ours.js')\n${texts.get('hardhat.config.js')}`)
    const output = await run('sh', ['-ec', texts.get('hardhat.sh')], folder)
    assert.match(output, /6 passing/)
    assert.match(output, /Vault at 0x\w{40} with 11 wei/)
  })

  test('foundry', async () => {
    const folder = join(scratch, 'foundry')
    writeFileSync(join(folder, 'foundry.toml'), texts.get('foundry.toml'))
    const output = await run('sh', ['-ec', texts.get('foundry.sh')], folder)
    assert.match(output, /Deployed to: 0x\w{40}/)
    assert.match(output, /ONCHAIN EXECUTION COMPLETE & SUCCESSFUL/)
    assert.match(output, /^1000\d\.\d+$/m)
  })
})
