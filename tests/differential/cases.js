// Random worlds and transactions: plain data, the same for every engine.
import {
  privateToAddress,
  eoaCode7702SignAuthorization,
  generateAddress,
  hexToBytes,
  bytesToHex,
  setLengthLeft,
  bigIntToUnpaddedBytes,
} from '@ethereumjs/util'
import { inputOf, randomPrecompile } from './inputs.js'
import { Program } from './program.js'
import { forkIndex, forks } from './opcodes.js'

const strip = (hex) => hex.slice(2)
const key = (digit) => `0x${digit.repeat(64)}`
export const senderKey = key('4')
export const authorityKeys = [key('5'), key('6'), senderKey]
export const addressOf = (secret) => bytesToHex(privateToAddress(hexToBytes(secret)))
export const sender = addressOf(senderKey)
export const coinbase = '0x2adc25665018aa1fe0e6bc666dac8fc2697ff9ba'
export const contracts = ['c1', 'c2', 'c3', 'c4'].map((end) => `0x${'0'.repeat(22)}c0de${'0'.repeat(12)}${end}`)

const word = (value) => Buffer.from(setLengthLeft(bigIntToUnpaddedBytes(value), 32))

// Bytes for a call, mostly what this case's precompiled contract asks for.
function callData(random, world) {
  return random.weighted([
    [2, () => Buffer.alloc(0)],
    [4, () => Buffer.from(random.bytes(random.below(100)))],
    [2, () => Buffer.concat([word(random.word()), word(random.word())])],
    [8, () => inputOf(random, world.precompile, authorityKeys.map(hexToBytes))],
    [1, () => Buffer.alloc(random.below(600))],
    [1, () => Buffer.from(random.bytes(random.below(4000)))],
  ])()
}

function storage(random) {
  const out = {}
  for (let slot = 0; slot < 4; slot++)
    if (random.once(2)) out[`0x${slot.toString(16)}`] = `0x${(random.below(3) + 1).toString(16)}`
  return out
}

// Never empty: accounts that have storage and nothing else do not come about. Nor does a first byte 0xef (EIP-3541).
function possibleCode(program) {
  const code = Buffer.concat([program, Buffer.alloc(1)])
  if (code[0] === 0xef) code[0] = 0
  return code
}

// An account where somebody's next contract would go (EIP-684). Without code or nonce it may have a balance alone.
function inTheWay(random, pre) {
  const creator = random.pick(Object.keys(pre))
  const address = generateAddress(hexToBytes(creator), bigIntToUnpaddedBytes(pre[creator].nonce))
  const account = { balance: BigInt(random.below(2) + 1), nonce: 0n, code: '0x', storage: {} }
  const kind = random.below(3)
  if (kind === 1) account.nonce = 1n
  if (kind === 2) account.code = '0x00'
  return { [bytesToHex(address)]: account }
}

export function accounts(random, fork, world) {
  const pre = {
    [sender]: {
      balance: random.once(60) ? BigInt(random.below(1000000)) : 10n ** 24n,
      nonce: BigInt(random.below(3)),
      // a sender may have been delegated; whoever has other code sends nothing (EIP-3607)
      code:
        fork >= forkIndex.Prague && random.once(10)
          ? `0xef0100${strip(random.pick(contracts))}`
          : fork >= forkIndex.London && random.once(60)
            ? '0x00'
            : '0x',
      storage: {},
    },
  }
  for (const address of contracts)
    if (!random.once(20))
      pre[address] = {
        balance: BigInt(random.below(3) * 500),
        nonce: random.once(40) ? (1n << 64n) - BigInt(random.between(1, 2)) : BigInt(random.below(2)),
        code: bytesToHex(possibleCode(Program.write(random, world))),
        storage: storage(random),
      }
  if (random.once(4)) Object.assign(pre, inTheWay(random, pre))
  if (random.once(2)) pre[coinbase] = { balance: BigInt(random.below(2)), nonce: 0n, code: '0x', storage: {} }
  // an account without anything at all could exist before EIP-161
  if (fork < forkIndex.EIP158 && random.once(3))
    pre[`0x${'0'.repeat(39)}e`] = { balance: 0n, nonce: 0n, code: '0x', storage: {} }
  if (fork >= forkIndex.Prague)
    for (const secret of authorityKeys.slice(0, 2))
      if (random.once(2))
        pre[addressOf(secret)] = {
          balance: 5n,
          nonce: BigInt(random.below(2)),
          code: random.once(2) ? `0xef0100${strip(random.pick(contracts))}` : '0x',
          storage: {},
        }
  return pre
}

export function worldOf(random, fork, options = {}) {
  const addresses = [...contracts, sender, coinbase, `0x${'0'.repeat(39)}e`, ...authorityKeys.map(addressOf)].map(strip)
  return { fork, addresses, precompile: randomPrecompile(random), ...options }
}

function accessList(random) {
  return Array.from({ length: random.below(3) }, () => ({
    address: random.pick([...contracts, sender, coinbase, `0x${'0'.repeat(39)}2`]),
    storageKeys: Array.from({ length: random.below(4) }, () => `0x${word(BigInt(random.below(4))).toString('hex')}`),
  }))
}

function authorizations(random, pre, from) {
  return Array.from({ length: random.between(random.once(20) ? 0 : 1, 3) }, () => {
    const secret = random.pick(authorityKeys)
    const known = secret === from.secret ? from.nonce + 1n : (pre[addressOf(secret)]?.nonce ?? 0n)
    const nonce = known + BigInt(random.once(6) ? 1 : 0)
    const chainId = random.pick([0n, 1n, 1n, 1n, 2n])
    const address = random.once(6)
      ? `0x${'0'.repeat(40)}`
      : random.pick([...contracts, addressOf(authorityKeys[0]), addressOf(secret), `0x${'0'.repeat(39)}4`])
    const [, , , yParity, r, s] = eoaCode7702SignAuthorization(
      [bigIntToUnpaddedBytes(chainId), hexToBytes(address), bigIntToUnpaddedBytes(nonce)],
      hexToBytes(secret),
    )
    const hex = (bytes) => (bytes.length === 0 ? '0x0' : `0x${BigInt(bytesToHex(bytes)).toString(16)}`)
    return {
      chainId: `0x${chainId.toString(16)}`,
      address,
      nonce: `0x${nonce.toString(16)}`,
      yParity: hex(yParity),
      r: random.once(30) ? '0x1' : hex(r),
      s: hex(s),
      signer: addressOf(secret),
    }
  })
}

// Init code: a program, seldom one of the sizes about the limit of EIP-3860.
const creation = (random, world) =>
  random.once(40) ? Buffer.alloc(49152 + random.below(3) - 1, random.below(2)) : Program.write(random, world)

// Just enough gas, or just too little, by EIP-7623 or without it.
function aboutTheFloor(random, data) {
  const zeroes = data.filter((byte) => byte === 0).length
  const tokens = BigInt(zeroes + 4 * (data.length - zeroes))
  return 21000n + tokens * random.pick([4n, 10n]) + BigInt(random.below(3)) - 1n
}

// kind 0 to 4, as the transaction types are numbered
// from: {secret, nonce}
export function transaction(random, fork, world, pre, env, from) {
  const kind = random.weighted(
    [
      [4, 0],
      [fork >= forkIndex.Berlin ? 2 : 0, 1],
      [fork >= forkIndex.London ? 3 : 0, 2],
      [fork >= forkIndex.Cancun ? 1 : 0, 3],
      [fork >= forkIndex.Prague ? 3 : 0, 4],
    ].filter(([weight]) => weight > 0),
  )
  const isCreate = kind < 3 && random.once(6)
  const tip = BigInt(random.below(12))
  const out = {
    kind,
    nonce: from.nonce + (random.once(60) ? 1n : 0n),
    gasLimit: random.weighted([
      [1, () => BigInt(21000 + random.below(3000))],
      [6, () => BigInt(random.between(40000, 300000))],
      [20, () => BigInt(random.between(300000, 6000000))],
      [1, () => 17000000n],
    ])(),
    value: random.once(3) ? BigInt(random.below(2000)) : random.once(80) ? 1n << 90n : 0n,
    to: isCreate
      ? undefined
      : random.weighted([
          [1, () => random.pick([sender, coinbase, `0x${'ab'.repeat(20)}`])],
          [1, () => `0x${world.precompile.toString(16).padStart(40, '0')}`],
          [16, () => random.pick(contracts)],
        ])(),
    data: isCreate ? creation(random, world) : callData(random, world),
    gasPrice: (env.baseFee ?? 0n) + BigInt(random.below(5)),
    maxFee: (env.baseFee ?? 0n) + BigInt(random.below(20)) - (random.once(30) ? 5n : 0n),
    tip,
  }
  if (random.once(25)) out.gasLimit = aboutTheFloor(random, out.data)
  if (out.maxFee < 0n) out.maxFee = 0n
  if (out.maxFee < tip && !random.once(20)) out.tip = out.maxFee
  if (kind >= 1) out.accessList = accessList(random)
  if (kind === 3) {
    out.maxFeePerBlobGas = BigInt(random.once(10) ? 0 : random.between(1, 1000))
    out.blobHashes = Array.from(
      { length: random.between(random.once(20) ? 0 : 1, 4) },
      () => `0x${random.once(30) ? '02' : '01'}${Buffer.from(random.bytes(31)).toString('hex')}`,
    )
  }
  if (kind === 4) out.authorizations = authorizations(random, pre, from)
  return out
}

export function environment(random, fork) {
  return {
    coinbase,
    number: BigInt(random.between(1, 400)),
    timestamp: BigInt(random.between(1000, 100000)),
    gasLimit: 20000000n,
    difficulty: fork >= forkIndex.Paris ? 0n : BigInt(random.between(131072, 1000000)),
    prevRandao: fork >= forkIndex.Paris ? bytesToHex(random.bytes(32)) : undefined,
    baseFee: fork >= forkIndex.London ? BigInt(random.between(7, 30)) : undefined,
    excessBlobGas: fork >= forkIndex.Cancun ? BigInt(random.below(20) * 131072) : undefined,
  }
}

export function stateCase(random, chosenFork, options = {}) {
  const fork = chosenFork ?? random.weighted(forks.map((_, index) => [index >= forkIndex.Cancun ? 4 : 1, index]))
  const env = environment(random, fork)
  const world = worldOf(random, fork, options)
  const pre = accounts(random, fork, world)
  return {
    fork,
    env,
    pre,
    tx: transaction(random, fork, world, pre, env, { secret: senderKey, nonce: pre[sender].nonce }),
  }
}
