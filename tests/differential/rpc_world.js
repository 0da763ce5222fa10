// A random genesis, and random transactions for it.
import { bytesToHex } from '@ethereumjs/util'
import { readFileSync } from 'node:fs'
import {
  accounts,
  addressOf,
  authorityKeys,
  coinbase,
  contracts,
  sender,
  senderKey,
  transaction,
  worldOf,
} from './cases.js'
import { commonOf, signedTransaction } from './ethereumjs.js'
import { forkIndex } from './opcodes.js'
import { accountsOf } from './state_test.js'

const fork = forkIndex.Osaka
const systemContracts = JSON.parse(readFileSync(new URL('system_contracts.json', import.meta.url)))
const gasLimit = 20000000n
const words = (random, count) =>
  Array.from({ length: count }, () => random.below(4).toString(16).padStart(64, '0')).join('')

export const senders = [senderKey, ...authorityKeys.slice(0, 2), `0x${'7'.repeat(64)}`]

// Contracts beside the random ones that do one thing each: logs with 0 to 4 topics (words of the input, which is the
// data as well), a revert with the input as its data, storing the second word at the first, an end without gas, an
// invalid instruction, and a call of the address in the first word with the rest as input, whose outcome it takes over.
const copied = '365f5f37'
const topics = ['5f35', '602035', '604035', '606035']
const logging = [0, 1, 2, 3, 4].map(
  (n) => `${copied}${topics.slice(0, n).reverse().join('')}365f${(0xa0 + n).toString(16)}`,
)
const storing = `6020355f3555${copied}365ff3`
const calling = '6020360360205f375f5f602036035f345f355af13d5f5f3e6020573d5ffd5b3d5ff3'
const codes = [...logging, `${copied}365ffd`, storing, '5b5f56', 'fe', calling]
export const helpers = codes.map(
  (_, i) => `0x${'0'.repeat(22)}cafe${'0'.repeat(12)}${(i + 1).toString(16).padStart(2, '0')}`,
)
const [, , , , , , , , , caller] = helpers

export const everybody = [
  ...contracts,
  ...helpers,
  ...senders.map(addressOf),
  coinbase,
  `0x${'0'.repeat(38)}04`,
  `0x${'0'.repeat(40)}`,
  `0x${'ab'.repeat(20)}`,
]

export function inputOf(random, to) {
  if (to === caller) return `0x${random.pick(everybody).slice(2).padStart(64, '0')}${words(random, random.below(4))}`
  return random.once(8) ? bytesToHex(random.bytes(random.below(70))) : `0x${words(random, random.below(5))}`
}

export class RpcWorld {
  constructor(random) {
    this.random = random
    this.common = commonOf(fork)
    this.world = worldOf(random, fork, { isWithoutBlockHashes: true, isWithoutRandao: true })
    this.pre = accounts(random, fork, this.world)
    for (const secret of senders)
      this.pre[addressOf(secret)] = { balance: 10n ** 24n, nonce: BigInt(random.below(3)), code: '0x', storage: {} }
    helpers.forEach((address, i) => {
      this.pre[address] = { balance: BigInt(random.below(100)), nonce: 1n, code: `0x${codes[i]}`, storage: {} }
    })
    for (const [address, code] of Object.entries(systemContracts))
      this.pre[address] = { balance: 0n, nonce: 1n, code, storage: {} }
    this.nonces = Object.fromEntries(senders.map((secret) => [secret, this.pre[addressOf(secret)].nonce]))
  }

  genesis() {
    const config = { chainId: 1, terminalTotalDifficulty: 0, terminalTotalDifficultyPassed: true }
    const early = [
      'homestead',
      'eip150',
      'eip155',
      'eip158',
      'byzantium',
      'constantinople',
      'petersburg',
      'istanbul',
      'berlin',
      'london',
    ]
    for (const name of early) config[`${name}Block`] = 0
    for (const name of ['shanghai', 'cancun', 'prague', 'osaka']) config[`${name}Time`] = 0
    const schedule = { target: 6, max: 9, baseFeeUpdateFraction: 5007716 }
    config.blobSchedule = {
      cancun: { target: 3, max: 6, baseFeeUpdateFraction: 3338477 },
      prague: schedule,
      osaka: schedule,
    }
    return {
      config,
      nonce: '0x0',
      timestamp: '0x10',
      extraData: '0x',
      gasLimit: `0x${gasLimit.toString(16)}`,
      difficulty: '0x0',
      mixHash: `0x${'0'.repeat(64)}`,
      coinbase,
      baseFeePerGas: '0x10',
      alloc: accountsOf(this.pre),
    }
  }

  sign(tx, secret, isGood = false) {
    try {
      const made = signedTransaction(tx, this.common, secret)
      return isGood && !made.isValid() ? undefined : bytesToHex(made.serialize())
    } catch {
      return undefined
    }
  }

  // {tx, secret, raw}: one that could be taken; undefined when it cannot even be made
  transaction(baseFee) {
    const { random } = this
    const secret = random.pick(senders)
    const nonce = this.nonces[secret]
    const tx = transaction(random, fork, this.world, this.pre, { baseFee }, { secret, nonce })
    tx.nonce = nonce
    if (tx.kind === 3 || tx.gasLimit > 3000000n) tx.gasLimit = 3000000n
    if (tx.kind === 3) tx.kind = 2 // their blobs would have to be sent along
    if (tx.to !== undefined && random.once(2)) {
      tx.to = random.pick(helpers)
      tx.data = Buffer.from(inputOf(random, tx.to).slice(2), 'hex')
    }
    for (const name of ['gasPrice', 'maxFee']) if (tx[name] < baseFee * 2n) tx[name] += baseFee * 2n
    if (tx.tip > tx.maxFee) tx.tip = tx.maxFee
    if (tx.value > 1n << 60n) tx.value = 0n
    // somebody who does not exist counts as existing in anvil: the refund of EIP-7702
    if (tx.kind === 4 && tx.authorizations.some(({ signer, r }) => !this.pre[signer] || r === '0x1')) return undefined
    const raw = this.sign(tx, secret, true)
    return raw && { tx, secret, raw }
  }

  // [what, raw transaction]: one that must be refused
  refused(baseFee) {
    const { random } = this
    const secret = random.pick(senders)
    const good = {
      kind: random.pick([0, 1, 2]),
      nonce: this.nonces[secret],
      gasLimit: 100000n,
      value: 1n,
      to: random.pick(contracts),
      data: Buffer.alloc(0),
    }
    Object.assign(good, { gasPrice: baseFee * 4n, maxFee: baseFee * 4n, tip: 1n, accessList: [] })
    const poor = `0x${'9'.repeat(64)}`
    const [what, change, by = secret] = random.pick([
      ['nonce too low', { nonce: good.nonce - 1n }],
      ['insufficient funds', { value: 10n ** 30n }],
      ['no funds at all', {}, poor],
      ['intrinsic gas', { gasLimit: 20999n }],
      ['gas of the data', { gasLimit: 21000n + BigInt(random.below(8)), data: Buffer.from(random.bytes(20)) }],
      ['floor of the data', { gasLimit: 21000n + 16n * 1000n, data: Buffer.alloc(1000, 1) }],
      ['gas above the cap', { gasLimit: (1n << 24n) + 1n }],
      ['gas above the block', { gasLimit: gasLimit + 1n }],
      ['tip above the fee', { kind: 2, tip: good.maxFee + 1n }],
      ['init code too long', { to: undefined, data: Buffer.alloc(49153, 1), gasLimit: 10000000n }],
      ['nonce at its end', { nonce: (1n << 64n) - 1n }],
      ['cut off', 'cut'],
      ['more behind', 'longer'],
      ['another chain', 'chain'],
      ['type unknown', 'type'],
      ['nothing', 'empty'],
    ])
    if (typeof change !== 'string') return [what, this.sign({ ...good, ...change }, by)]
    const raw = this.sign(good, secret)
    if (change === 'empty') return [what, '0x']
    if (change === 'cut') return [what, raw.slice(0, -2 * random.between(1, 30))]
    if (change === 'longer') return [what, `${raw}00`]
    if (change === 'type') return [what, `0x${random.pick(['05', '7e', '33'])}${raw.slice(4)}`]
    const other = commonOf(fork)
    other.chainId = () => 5n
    return [what, bytesToHex(signedTransaction({ ...good, kind: 2, chainId: 5n }, other, secret).serialize())]
  }
}
