// A case: a genesis, rounds of transactions into both nodes, and random requests whose answers are compared.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { addressOf } from './cases.js'
import { Random } from './random.js'
import { forgive } from './rpc_known.js'
import { Requests } from './rpc_requests.js'
import { startAnvil, startHanse, until } from './rpc_servers.js'
import { RpcWorld } from './rpc_world.js'

const roundsOfCase = 5
const requestsOfRound = 60

// Where two values differ.
function differences(ours, theirs, at = '') {
  if (isDeepStrictEqual(ours, theirs)) return []
  const isBoth = [ours, theirs].every((one) => one !== null && typeof one === 'object')
  if (!isBoth) return [`${at} ${JSON.stringify(ours)?.slice(0, 80)} ${JSON.stringify(theirs)?.slice(0, 80)}`]
  const names = new Set([...Object.keys(ours), ...Object.keys(theirs)])
  return [...names].flatMap((name) => differences(ours[name], theirs[name], `${at}.${name}`))
}

export class RpcCase {
  constructor(seed, tally) {
    const random = new Random(seed)
    Object.assign(this, { seed, tally, random, world: new RpcWorld(random), filters: [], seen: tally.seen })
    this.chain = { last: 0, transactions: [], created: [], hanse: [], anvil: [] }
    this.requests = new Requests(random, this.chain)
  }

  async run() {
    const folder = mkdtempSync(join(tmpdir(), 'hanse-differential-rpc-'))
    const genesis = this.world.genesis()
    try {
      this.hanse = await startHanse(folder, genesis)
      this.anvil = await startAnvil(folder, genesis)
      await this.readBlock(0)
      for (let i = 0; i < roundsOfCase; i++) await this.round()
    } finally {
      await Promise.all([this.hanse?.stop(), this.anvil?.stop()])
      rmSync(folder, { recursive: true })
    }
  }

  async round() {
    const filter = this.newFilter()
    await this.compare([filter], ([[ours, theirs]]) =>
      this.filters.push({ filter, hanse: ours.result, anvil: theirs.result }),
    )
    const baseFee = BigInt((await this.hanse.ask('eth_getBlockByNumber', 'latest', false)).baseFeePerGas)
    await this.readNonces()
    await this.refuse(baseFee)
    await this.transact(baseFee)
    await this.compare(Array.from({ length: requestsOfRound }, () => this.requests.next()))
    await this.compare(this.filters.map((_, i) => ['eth_getFilterChanges', `@${i}`]))
  }

  async readNonces() {
    const { nonces } = this.world
    const secrets = Object.keys(nonces)
    const answers = await this.hanse.batch(
      secrets.map((secret) => ['eth_getTransactionCount', addressOf(secret), 'latest']),
    )
    answers.forEach(({ result }, i) => (nonces[secrets[i]] = BigInt(result)))
  }

  newFilter() {
    return this.random.once(4) ? ['eth_newBlockFilter'] : ['eth_newFilter', this.requests.logFilter(false)]
  }

  async refuse(baseFee) {
    for (let i = 0; i < 3; i++) {
      const [what, raw] = this.world.refused(baseFee)
      if (raw !== undefined) await this.compare([['eth_sendRawTransaction', raw]], undefined, what)
      await this.anvil.ask('anvil_dropAllTransactions') // it takes some that geth does not
    }
  }

  // Ours makes the blocks; the other is told to make the same ones.
  async transact(baseFee) {
    const { world, random, chain } = this
    const sent = {}
    const list = []
    for (let i = random.between(1, 6); i > 0; i--) {
      const item = world.transaction(baseFee)
      if (item === undefined) continue
      world.nonces[item.secret]++
      list.push(item)
      if (item.tx.kind === 4) break // who authorizes counts a nonce of his own
    }
    const answers = await this.hanse.batch(list.map(({ raw }) => ['eth_sendRawTransaction', raw]))
    answers.forEach((answer, i) => {
      if (answer.error) throw new Error(`seed ${this.seed}: ${JSON.stringify(answer.error)} for ${list[i].raw}`)
      sent[answer.result] = list[i].raw
    })
    const hashes = Object.keys(sent)
    const receipts = () => this.hanse.batch(hashes.map((hash) => ['eth_getTransactionReceipt', hash]))
    const found = await until(async () => {
      const all = await receipts()
      return all.every(({ result }) => result) && all
    }, `receipts of seed ${this.seed}`)
    const last = Math.max(chain.last, ...found.map(({ result }) => Number(result.blockNumber)))
    for (let number = chain.last + 1; number <= last; number++) await this.mine(number, sent)
    chain.transactions.push(...hashes)
    chain.created.push(...found.map(({ result }) => result.contractAddress).filter((address) => address))
    chain.last = last
  }

  async mine(number, sent) {
    const block = await this.hanse.ask('eth_getBlockByNumber', `0x${number.toString(16)}`, false)
    const before = [
      ['anvil_setCoinbase', block.miner],
      ['evm_setNextBlockTimestamp', block.timestamp],
      ['anvil_setNextBlockBaseFeePerGas', block.baseFeePerGas],
      ...block.transactions.map((hash) => ['eth_sendRawTransaction', sent[hash]]),
      ['evm_mine'],
    ]
    for (const request of before) {
      const [answer] = await this.anvil.batch([request])
      if (answer.error)
        throw new Error(`seed ${this.seed}: anvil: ${JSON.stringify(answer.error)} for ${JSON.stringify(request)}`)
    }
    await this.readBlock(number)
    const counts = await Promise.all(
      [this.hanse, this.anvil].map((node) =>
        node.ask('eth_getBlockTransactionCountByNumber', `0x${number.toString(16)}`),
      ),
    )
    if (counts[0] !== counts[1]) throw new Error(`seed ${this.seed}: block ${number} has ${counts} transactions`)
  }

  async readBlock(number) {
    for (const name of ['hanse', 'anvil'])
      this.chain[name][number] = (await this[name].ask('eth_getBlockByNumber', `0x${number.toString(16)}`, false)).hash
  }

  // What the filter of an id asked for
  filterOf(id) {
    return /^@/.test(id) ? this.filters[Number(id.slice(1))].filter[1] : undefined
  }

  // Our words for what only one node knows: hashes of blocks, numbers of filters.
  translate(value, name) {
    const text = JSON.stringify(value).replace(/"#(\d+)"/g, (_, number) => `"${this.chain[name][number]}"`)
    return JSON.parse(text.replace(/"@(\d+)"/g, (_, i) => `"${this.filters[i][name]}"`))
  }

  neutral(value, name) {
    let text = JSON.stringify(value)
    this.chain[name].forEach((hash, number) => (text = text.replaceAll(hash, `#${number}`)))
    return JSON.parse(text)
  }

  async compare(requests, see, what) {
    if (requests.length === 0) return
    const names = ['hanse', 'anvil']
    const answers = await Promise.all(
      names.map((name) => this[name].batch(requests.map((one) => this.translate(one, name)))),
    )
    for (const [i, request] of requests.entries()) {
      const [ours, theirs] = names.map((name, at) => this.neutral(answers[at][i], name))
      if (request[0] === 'eth_estimateGas' && ours.result) theirs.isEnough = await this.isEnough(request, ours.result)
      this.judge(request, ours, theirs, what)
    }
    see?.(requests.map((_, i) => [answers[0][i], answers[1][i]]))
  }

  // Whether the call succeeds with the gas of our estimate, here or there: the next block is not the same to both
  async isEnough([, call, ...rest], gas) {
    const request = ['eth_call', { ...call, gas }, ...rest]
    const answers = await Promise.all(
      ['hanse', 'anvil'].map((name) => this[name].batch([this.translate(request, name)])),
    )
    return answers.some(([{ error }]) => error === undefined)
  }

  judge(request, ours, theirs, what) {
    const about = request[0] === 'eth_getFilterChanges' ? [request[0], this.filterOf(request[1])] : request
    const pair = forgive(about, ours, theirs, this.seen)
    if (isDeepStrictEqual(...pair)) {
      this.tally.passed++
      return
    }
    const lines = [
      `FAIL rpc-${this.seed} ${what ?? ''} ${JSON.stringify(request)}`,
      `  at     ${differences(...pair)
        .slice(0, 5)
        .join('; ')}`,
    ]
    lines.push(`  ours   ${JSON.stringify(ours)}`, `  anvil  ${JSON.stringify(theirs)}`)
    this.tally.fail(lines.join('\n'))
  }
}
