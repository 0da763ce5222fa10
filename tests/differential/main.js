// Random cases in this engine and in others; see README.md.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Anvil, anvilForks } from './anvil.js'
import { runAnvilBlock } from './anvil_blocks.js'
import { blockTest } from './blocks.js'
import { senderKey, stateCase } from './cases.js'
import { compareBlock, compareOutcomes } from './compare.js'
import { runStateCase } from './ethereumjs.js'
import { compared, runExternal } from './external.js'
import { runFile, traceFile } from './hanse.js'
import { forkIndex, forks } from './opcodes.js'
import { Random } from './random.js'
import { checkTheRules, rules } from './rpc_known.js'
import { RpcCase } from './rpc.js'
import { foreignStateTest, stateTest } from './state_test.js'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string' },
    count: { type: 'string' },
    most: { type: 'string', default: 'Infinity' },
    only: { type: 'string' },
    fork: { type: 'string' },
    out: { type: 'string' },
    external: { type: 'string' },
  },
})
const seed = Number(values.seed ?? Date.now() % 1000000000)
const out = values.out ?? join(process.env.TMPDIR ?? '/tmp', `hanse-differential-${process.pid}`)
const chunk = 100
const fork = values.fork === undefined ? undefined : forkIndex[values.fork]
if (values.fork !== undefined && fork === undefined) throw new Error(`--fork ${Object.keys(forkIndex).join('|')}`)

// Passed and failed cases of one kind.
class Tally {
  passed = 0
  failed = 0

  fail(line) {
    this.failed++
    console.log(line)
  }

  of(problem, name) {
    if (problem === undefined) this.passed++
    else this.fail(`FAIL ${name}: ${problem}`)
  }
}

// Tests are collected, and run by the hundred: first for roots and logs in both interpreters, then, where the other
// implementation's outcome is at hand, for everything else.
class Collector extends Tally {
  constructor(kind, command) {
    super()
    Object.assign(this, { kind, command, tests: {}, outcomes: {}, files: 0 })
  }

  add(name, test, outcome) {
    this.tests[name] = test
    if (outcome !== undefined) this.outcomes[name] = outcome
    if (Object.keys(this.tests).length >= chunk) this.flush()
  }

  flush() {
    const { tests, outcomes } = this
    if (Object.keys(tests).length === 0) return
    this.tests = {}
    this.outcomes = {}
    const file = join(out, `${this.kind}-${this.files++}.json`)
    writeFileSync(file, JSON.stringify(tests, null, 1))
    const { passed, failed, lines } = runFile(
      this.command,
      file,
      this.command === 'statetest' ? ['--interpreter', 'both'] : [],
    )
    this.passed += passed
    this.failed += failed
    for (const line of lines) console.log(line)
    const before = this.failed
    this.compare(tests, outcomes)
    if (failed === 0 && this.failed === before) rmSync(file)
  }

  // What a state root and logs leave open; a case that fails twice counts twice.
  compare(tests, outcomes) {
    const names = Object.keys(outcomes).filter((name) => !outcomes[name].isLong)
    if (names.length === 0) return
    const file = join(out, `${this.kind}-trace.json`)
    writeFileSync(file, JSON.stringify(Object.fromEntries(names.map((name) => [name, tests[name]]))))
    const runs = traceFile(file)
    if (runs.length !== names.length) throw new Error(`${runs.length} traces of ${names.length} tests`)
    names.forEach((name, i) => {
      const problem = compareOutcomes(runs[i], outcomes[name])
      if (problem !== undefined) this.fail(`FAIL ${name}: ${problem}`)
    })
    rmSync(file)
  }
}

// Calls `step` with seed after seed: `count` times however long it takes, or until the time or the most is used up.
async function during(seconds, step) {
  const end = Date.now() + seconds * 1000
  const last = seed + Number(values.count ?? values.most)
  for (let at = seed; at < last && (values.count !== undefined || Date.now() < end); at++) await step(at)
}

async function againstEthereumjs(seconds) {
  const states = new Collector('state', 'statetest')
  await during(seconds, async (at) => {
    const item = stateCase(new Random(at), fork)
    const outcome = await runStateCase(item, senderKey)
    states.add(`state-${at}`, stateTest(item, senderKey, outcome), outcome)
  })
  states.flush()
  return states
}

async function chainsAgainstEthereumjs(seconds) {
  const chains = new Collector('blocks', 'blocktest')
  await during(seconds, async (at) => chains.add(`blocks-${at}`, (await blockTest(new Random(at), fork)).test))
  chains.flush()
  return chains
}

// `step` with an anvil of each fork in turn
async function withAnvils(seconds, step) {
  const names = Object.keys(anvilForks).filter((name) => fork === undefined || forkIndex[name] === fork)
  for (const name of names) {
    const anvil = await Anvil.start(name)
    try {
      await during(seconds / names.length, (at) => step(anvil, name, at))
    } finally {
      await anvil.stop()
    }
  }
}

async function againstAnvil(seconds) {
  const states = new Collector('anvil', 'statetest')
  await withAnvils(seconds, async (anvil, name, at) => {
    const item = stateCase(new Random(at), forkIndex[name], { isWithoutBlockHashes: true })
    const done = anvil.takes(item) && (await anvil.run(item, senderKey))
    if (done) states.add(`anvil-${name}-${at}`, stateTest(done.item, senderKey, done.outcome), done.outcome)
  })
  states.flush()
  return states
}

async function blocksAgainstAnvil(seconds) {
  const tally = new Tally()
  await withAnvils(seconds, async (anvil, name, at) => {
    const done = await runAnvilBlock(anvil, new Random(at))
    if (done === undefined) return
    const problem = compareBlock(done)
    tally.of(problem, `anvil-blocks-${name}-${at}`)
    if (problem !== undefined)
      writeFileSync(join(out, `anvil-blocks-${name}-${at}.json`), JSON.stringify(done, null, 1))
  })
  return tally
}

async function againstExternal(seconds) {
  const tally = new Tally()
  await during(seconds, async (at) => {
    const item = stateCase(new Random(at), fork)
    const outcome = await runStateCase(item, senderKey)
    if (outcome.isLong) return
    const name = `external-${at}`
    const [own, foreign] = ['.json', '-external.json'].map((end) => join(out, `${name}${end}`))
    writeFileSync(own, JSON.stringify({ [name]: stateTest(item, senderKey, outcome) }, null, 1))
    writeFileSync(foreign, JSON.stringify({ [name]: foreignStateTest(item, senderKey, outcome) }, null, 1))
    const problem = runExternal(values.external, own, foreign, outcome)
    tally.of(problem, name)
    if (problem === undefined) for (const file of [own, foreign]) rmSync(file)
  })
  console.log(`${compared.steps} steps of its traces compared`)
  return tally
}

// Requests are counted, not cases.
async function requestsAgainstAnvil(seconds) {
  checkTheRules()
  const tally = Object.assign(new Tally(), { seen: {} })
  await during(seconds, (at) => new RpcCase(at, tally).run())
  console.log('known differences that were met:')
  for (const [name, reason] of rules) if (tally.seen[name]) console.log(`  ${tally.seen[name]} ${name}: ${reason}`)
  return tally
}

// A comparison that cannot fail would be none: a changed root, gas, output, status and step must each be found.
async function checkTheCheck() {
  let item
  let outcome
  for (let at = 1; !(outcome?.steps?.length > 1); at++) {
    item = stateCase(new Random(at))
    outcome = await runStateCase(item, senderKey)
  }
  const test = stateTest(item, senderKey, outcome)
  const [post] = test.post[forks[item.fork].name]
  post.hash = `${post.hash.slice(0, -1)}${post.hash.endsWith('0') ? '1' : '0'}`
  const file = join(out, 'changed.json')
  writeFileSync(file, JSON.stringify({ changed: test }))
  if (runFile('statetest', file).failed !== 1) throw new Error('a wrong state root was not found')
  const [run] = traceFile(file)
  rmSync(file)
  const steps = outcome.steps.map((step, i) => (i === 0 ? { ...step, text: `${step.text}0` } : step))
  const changes = [{ gasUsed: outcome.gasUsed + 1n }, { isSuccess: !outcome.isSuccess }, { output: '0x42' }, { steps }]
  if (compareOutcomes(run, outcome) !== undefined) throw new Error('the first case differs')
  for (const change of changes)
    if (compareOutcomes(run, { ...outcome, ...change }) === undefined)
      throw new Error(`a wrong outcome was not found: ${Object.keys(change)}`)
}

const kinds = {
  state: { share: 0.35, run: againstEthereumjs, what: 'transactions against @ethereumjs/vm' },
  blocks: { share: 0.25, run: chainsAgainstEthereumjs, what: 'chains against @ethereumjs/vm' },
  anvil: { share: 0.25, run: againstAnvil, what: 'transactions against revm (anvil)' },
  'anvil-blocks': { share: 0.15, run: blocksAgainstAnvil, what: 'blocks against revm (anvil)' },
  rpc: { share: 0, run: requestsAgainstAnvil, what: 'JSON-RPC requests against anvil' },
  external: { share: 0, run: againstExternal, what: `transactions against ${values.external}` },
}
if (values.external !== undefined) values.only = 'external'
if (values.only !== undefined && !kinds[values.only]) throw new Error(`--only ${Object.keys(kinds).join('|')}`)
if (values.only === 'external' && values.external === undefined) throw new Error('--external PROGRAM')

console.log(`seed ${seed}`)
mkdirSync(out, { recursive: true })
await checkTheCheck()
let passed = 0
let failed = 0
for (const [kind, { share, run, what }] of Object.entries(kinds)) {
  if (values.only === undefined ? share === 0 : values.only !== kind) continue
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
