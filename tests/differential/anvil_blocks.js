// Blocks of several transactions in anvil (revm); ours are made by `hanse evm t8n` from the same accounts and transactions.
import { RLP } from '@ethereumjs/rlp'
import { bytesToHex, hexToBytes } from '@ethereumjs/util'
import { readFileSync } from 'node:fs'
import { accounts, addressOf, authorityKeys, environment, senderKey, transaction, worldOf } from './cases.js'
import { forkIndex, forks } from './opcodes.js'
import { accountsOf } from './state_test.js'

// Blocks from Cancun and Prague on call these; anvil calls but the one of EIP-2935. They are left out of the comparison.
const systemContracts = JSON.parse(readFileSync(new URL('system_contracts.json', import.meta.url)))
const senders = [senderKey, ...authorityKeys.slice(0, 2)]
const hex = (value) => `0x${BigInt(value).toString(16)}`

// Accounts in one form, whoever printed them
export function normalize(alloc) {
  const out = {}
  for (const [address, { balance, nonce, code, storage }] of Object.entries(alloc)) {
    if (systemContracts[address] !== undefined) continue
    const slots = Object.entries(storage ?? {}).filter(([, value]) => BigInt(value) !== 0n)
    out[address] = {
      balance: hex(balance),
      nonce: hex(nonce ?? 0),
      code: code ?? '0x',
      storage: slots.map(([slot, value]) => `${hex(slot)}=${hex(value)}`).sort(),
    }
  }
  return out
}

function worldBefore(random, fork, world) {
  const pre = accounts(random, fork, world)
  for (const secret of senders.slice(1))
    pre[addressOf(secret)] = { balance: 10n ** 23n, nonce: 0n, code: '0x', storage: {} }
  return pre
}

// Raw transactions, in the order of sending, by their hashes
async function sendAll(anvil, random, world, pre, env) {
  const nonces = Object.fromEntries(senders.map((secret) => [secret, pre[addressOf(secret)].nonce]))
  const sent = {}
  for (let i = random.between(2, 10); i > 0; i--) {
    const secret = random.pick(senders)
    const tx = transaction(random, anvil.fork, world, pre, env, { secret, nonce: nonces[secret] })
    if (tx.gasLimit > 2000000n) tx.gasLimit = 2000000n
    const raw = anvil.takes({ pre, tx }) ? anvil.serialize(tx, secret) : undefined
    if (raw === undefined) continue
    const [answer] = await anvil.batch([['eth_sendRawTransaction', raw]])
    if (answer.error) continue
    sent[answer.result] = raw
    nonces[secret]++
  }
  return sent
}

// A legacy transaction is a list in the block's list, a typed one a string.
const inBlock = (raw) => (raw.startsWith('0x0') ? hexToBytes(raw) : RLP.decode(hexToBytes(raw)))

function environmentOf(env, fork) {
  const out = {
    currentCoinbase: env.coinbase,
    currentGasLimit: hex(env.gasLimit),
    currentNumber: hex(env.number),
    currentTimestamp: hex(env.timestamp),
    currentDifficulty: hex(env.difficulty),
  }
  if (env.prevRandao !== undefined) Object.assign(out, { currentRandom: env.prevRandao, currentDifficulty: undefined })
  if (env.baseFee !== undefined) out.currentBaseFee = hex(env.baseFee)
  if (fork >= forkIndex.Shanghai) out.withdrawals = []
  if (fork >= forkIndex.Cancun)
    Object.assign(out, { currentExcessBlobGas: hex(env.excessBlobGas), parentBeaconBlockRoot: `0x${'0'.repeat(64)}` })
  return out
}

// What compare.js compares; undefined when the block took no transaction
export async function runAnvilBlock(anvil, random) {
  const { fork } = anvil
  const world = worldOf(random, fork, { isWithoutBlockHashes: true })
  const asked = environment(random, fork)
  const wanted = worldBefore(random, fork, world)
  const pre = await anvil.prepare(asked, wanted)
  const sent = await sendAll(anvil, random, world, wanted, asked)
  await anvil.call('evm_mine')
  const header = await anvil.call('eth_getBlockByNumber', 'latest', false)
  if (header.transactions.length === 0) return undefined
  const env = anvil.environmentOf(asked, header)
  const alloc = accountsOf(pre)
  if (fork >= forkIndex.Cancun)
    for (const [address, code] of Object.entries(systemContracts))
      alloc[address] = { balance: '0x0', nonce: '0x1', code }
  return {
    fork: forks[fork].name,
    input: {
      alloc,
      env: environmentOf(env, fork),
      txsRlp: bytesToHex(RLP.encode(header.transactions.map((hash) => inBlock(sent[hash])))),
    },
    header,
    accounts: normalize(await anvil.accounts()),
  }
}
