// A case with its outcome, in the JSON of ethereum/tests' GeneralStateTests.
import { bigIntToUnpaddedBytes, bytesToHex, eoaCode7702RecoverAuthority, hexToBytes } from '@ethereumjs/util'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { addressOf } from './cases.js'
import { forks } from './opcodes.js'

// Whole bytes: some programs read no odd number of digits.
function hex(value) {
  const digits = BigInt(value).toString(16)
  return `0x${digits.length % 2 ? '0' : ''}${digits}`
}
const word = (value) => `0x${BigInt(value).toString(16).padStart(64, '0')}`

function environmentOf(env) {
  const out = {
    currentCoinbase: env.coinbase,
    currentDifficulty: hex(env.difficulty),
    currentGasLimit: hex(env.gasLimit),
    currentNumber: hex(env.number),
    currentTimestamp: hex(env.timestamp),
  }
  if (env.baseFee !== undefined) out.currentBaseFee = hex(env.baseFee)
  if (env.prevRandao !== undefined) out.currentRandom = env.prevRandao
  if (env.excessBlobGas !== undefined) out.currentExcessBlobGas = hex(env.excessBlobGas)
  return out
}

function transactionOf(tx, secret) {
  const out = {
    secretKey: secret,
    sender: addressOf(secret),
    nonce: hex(tx.nonce),
    to: tx.to ?? '',
    data: [bytesToHex(tx.data)],
    gasLimit: [hex(tx.gasLimit)],
    value: [hex(tx.value)],
  }
  if (tx.kind >= 2) Object.assign(out, { maxFeePerGas: hex(tx.maxFee), maxPriorityFeePerGas: hex(tx.tip) })
  else out.gasPrice = hex(tx.gasPrice)
  if (tx.kind >= 1) out.accessLists = [tx.accessList]
  if (tx.kind === 3)
    Object.assign(out, { maxFeePerBlobGas: hex(tx.maxFeePerBlobGas), blobVersionedHashes: tx.blobHashes })
  if (tx.kind === 4)
    out.authorizationList = tx.authorizations.map(({ yParity, ...item }) => ({ ...item, v: yParity, yParity }))
  return out
}

export function accountsOf(pre) {
  return Object.fromEntries(
    Object.entries(pre).map(([address, { balance, nonce, code, storage }]) => [
      address,
      {
        balance: hex(balance),
        nonce: hex(nonce),
        code,
        storage: Object.fromEntries(Object.entries(storage).map(([slot, value]) => [word(slot), word(value)])),
      },
    ]),
  )
}

// The hashes of earlier blocks as state tests have them, for programs that want them told.
function blockHashes(number) {
  const first = number > 256n ? number - 256n : 0n
  const numbers = Array.from({ length: Number(number - first) }, (_, i) => String(first + BigInt(i)))
  return Object.fromEntries(
    numbers.map((decimal) => [decimal, bytesToHex(keccak_256(new TextEncoder().encode(decimal)))]),
  )
}

// Who an authorization is from, for programs that believe what they are told; a spoilt one may be from somebody else
function withSigner(item) {
  const { signer, ...rest } = item
  try {
    const parts = ['chainId', 'address', 'nonce', 'yParity', 'r', 's'].map((name) => minimalBytes(item, name))
    return { ...rest, signer: eoaCode7702RecoverAuthority(parts).toString() }
  } catch {
    return rest
  }
}

const minimalBytes = (item, name) =>
  name === 'address' ? hexToBytes(item.address) : bigIntToUnpaddedBytes(BigInt(item[name]))

// Why a transaction may be refused, by execution-specs' names. Programs check in different orders: any reason will do.
const anyException = (
  `TYPE_NOT_SUPPORTED INVALID_CHAINID NONCE_MISMATCH_TOO_LOW NONCE_MISMATCH_TOO_HIGH NONCE_IS_MAX SENDER_NOT_EOA ` +
  `INTRINSIC_GAS_TOO_LOW INTRINSIC_GAS_BELOW_FLOOR_GAS_COST GAS_LIMIT_EXCEEDS_MAXIMUM GAS_ALLOWANCE_EXCEEDED ` +
  `INSUFFICIENT_MAX_FEE_PER_GAS PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS INSUFFICIENT_ACCOUNT_FUNDS ` +
  `INITCODE_SIZE_EXCEEDED INSUFFICIENT_MAX_FEE_PER_BLOB_GAS TYPE_3_TX_ZERO_BLOBS TYPE_3_TX_BLOB_COUNT_EXCEEDED ` +
  `TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH TYPE_4_EMPTY_AUTHORIZATION_LIST`
)
  .split(' ')
  .map((name) => `TransactionException.${name}`)
  .join('|')

// The test for programs other than ours, which say more clearly what they refuse, and know block hashes by themselves
export function foreignStateTest(item, secret, outcome) {
  const test = stateTest(item, secret, outcome)
  test.env.blockHashes = blockHashes(item.env.number)
  const { authorizationList } = test.transaction
  if (authorizationList) test.transaction.authorizationList = authorizationList.map(withSigner)
  if (outcome.rejected) test.post[forks[item.fork].name][0].expectException = anyException
  return test
}

export function stateTest(item, secret, outcome) {
  return {
    _info: {
      comment: outcome.rejected ? `rejected: ${outcome.rejected.slice(0, 160)}` : `gas used ${outcome.gasUsed}`,
    },
    env: environmentOf(item.env),
    pre: accountsOf(item.pre),
    transaction: transactionOf(item.tx, secret),
    post: {
      [forks[item.fork].name]: [{ hash: outcome.root, logs: outcome.logs, indexes: { data: 0, gas: 0, value: 0 } }],
    },
  }
}
