// Random cases in this engine and in others; see README.md.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Anvil, anvilForks } from './anvil.js'
import { blockTest } from './blocks.js'
import { senderKey, stateCase } from './cases.js'
import { runStateCase } from './ethereumjs.js'
import { forkIndex, forks } from './opcodes.js'
import { Random } from './random.js'
import { stateTest } from './state_test.js'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string' },
    count: { type: 'string' },
    only: { type: 'string' },
    out: { type: 'string' },
  },
})
const binary = process.env.HANSE_BINARY
const seed = Number(values.seed ?? Date.now() % 1000000000)
const out = values.out ?? join(process.env.TMPDIR ?? '/tmp', `hanse-differential-${process.pid}`)
const chunk = 100

// Runs a file of tests through the program; {passed, failed, lines}
function runFile(command, file) {
  const options = command === 'statetest' ? ['--interpreter', 'both'] : []
  const { stdout, status } = spawnSync(binary, ['evm', command, ...options, file], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  const lines = (stdout ?? '').trim().split('\n')
  const counts = /^(\d+) passed, (\d+) failed, \d+ skipped$/.exec(lines.pop() ?? '')
  if (!counts || (status !== 0) !== (counts[2] !== '0'))
    throw new Error(`hanse evm ${command} ${file} ended with ${status}`)
  return { passed: Number(counts[1]), failed: Number(counts[2]), lines }
}

// Tests are collected, and run by the hundred.
class Collector {
  constructor(kind, command) {
    Object.assign(this, { kind, command, tests: {}, files: 0, passed: 0, failed: 0 })
  }

  add(name, test) {
    this.tests[name] = test
    if (Object.keys(this.tests).length >= chunk) this.flush()
  }

  flush() {
    if (Object.keys(this.tests).length === 0) return
    const file = join(out, `${this.kind}-${this.files++}.json`)
    writeFileSync(file, JSON.stringify(this.tests, null, 1))
    this.tests = {}
    const { passed, failed, lines } = runFile(this.command, file)
    this.passed += passed
    this.failed += failed
    for (const line of lines) console.log(line)
    if (failed === 0) rmSync(file)
  }
}

// Calls `step` with seed after seed until the time or the count is used up.
async function during(seconds, step) {
  const end = Date.now() + seconds * 1000
  const last = values.count === undefined ? Infinity : seed + Number(values.count)
  for (let at = seed; at < last && (values.count !== undefined || Date.now() < end); at++) await step(at)
}

async function againstEthereumjs(seconds) {
  const states = new Collector('state', 'statetest')
  await during(seconds, async (at) => {
    const item = stateCase(new Random(at))
    states.add(`state-${at}`, stateTest(item, senderKey, await runStateCase(item, senderKey)))
  })
  states.flush()
  return states
}

async function chainsAgainstEthereumjs(seconds) {
  const chains = new Collector('blocks', 'blocktest')
  await during(seconds, async (at) => chains.add(`blocks-${at}`, (await blockTest(new Random(at))).test))
  chains.flush()
  return chains
}

async function againstAnvil(seconds) {
  const states = new Collector('anvil', 'statetest')
  const names = Object.keys(anvilForks)
  for (const name of names) {
    const anvil = await Anvil.start(name)
    try {
      await during(seconds / names.length, async (at) => {
        const item = stateCase(new Random(at), forkIndex[name], { isWithoutBlockHashes: true })
        const done = anvil.takes(item) && (await anvil.run(item, senderKey))
        if (done) states.add(`anvil-${name}-${at}`, stateTest(done.item, senderKey, done.outcome))
      })
    } finally {
      await anvil.stop()
    }
  }
  states.flush()
  return states
}

// A comparison that cannot fail would be none: a root with one bit changed must be found.
async function checkTheCheck() {
  const item = stateCase(new Random(1))
  const test = stateTest(item, senderKey, await runStateCase(item, senderKey))
  const [post] = test.post[forks[item.fork].name]
  post.hash = `${post.hash.slice(0, -1)}${post.hash.endsWith('0') ? '1' : '0'}`
  const file = join(out, 'changed.json')
  writeFileSync(file, JSON.stringify({ changed: test }))
  if (runFile('statetest', file).failed !== 1) throw new Error('a wrong state root was not found')
  rmSync(file)
}

const kinds = {
  state: { share: 0.45, run: againstEthereumjs, what: 'transactions against @ethereumjs/vm' },
  blocks: { share: 0.25, run: chainsAgainstEthereumjs, what: 'chains against @ethereumjs/vm' },
  anvil: { share: 0.3, run: againstAnvil, what: 'transactions against revm (anvil)' },
}
if (values.only !== undefined && !kinds[values.only]) throw new Error(`--only ${Object.keys(kinds).join('|')}`)

console.log(`seed ${seed}`)
mkdirSync(out, { recursive: true })
await checkTheCheck()
let passed = 0
let failed = 0
for (const [kind, { share, run, what }] of Object.entries(kinds)) {
  if (values.only !== undefined && values.only !== kind) continue
  const result = await run(Number(values.seconds) * (values.only ? 1 : share))
  console.log(`${what}: ${result.passed} passed, ${result.failed} failed`)
  passed += result.passed
  failed += result.failed
}
if (failed === 0) rmSync(out, { recursive: true })
else
  console.log(`The files are in ${out}. One case again: sh tests/differential/run --only KIND --seed NUMBER --count 1`)
console.log(`${passed} passed, ${failed} failed, 0 skipped`)
process.exit(failed === 0 && passed > 0 ? 0 : 1)
