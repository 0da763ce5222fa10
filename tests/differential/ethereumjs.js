// What @ethereumjs/vm makes of a case.
import { createBlock } from '@ethereumjs/block'
import { Common, Mainnet } from '@ethereumjs/common'
import { MerkleStateManager } from '@ethereumjs/statemanager'
import { createTx } from '@ethereumjs/tx'
import {
  Account,
  KECCAK256_RLP_ARRAY,
  bytesToHex,
  createAccount,
  createAddressFromString,
  hexToBytes,
  setLengthLeft,
} from '@ethereumjs/util'
import { RLP } from '@ethereumjs/rlp'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { createVM, runTx } from '@ethereumjs/vm'
import { kzg } from './kzg.js'
import { forkIndex, forks } from './opcodes.js'
import { stepText } from './trace.js'

const stepsMost = 5000 // longer traces are not compared

export const commonOf = (fork) => new Common({ chain: Mainnet, hardfork: forks[fork].other, customCrypto: { kzg } })

// State tests have no chain: the hash of block N is that of N's decimal digits.
const blockchain = {
  async getBlock(number) {
    return { hash: () => keccak_256(new TextEncoder().encode(String(number))) }
  },
  shallowCopy() {
    return this
  },
}

export async function stateOf(pre, common) {
  const state = new MerkleStateManager({ common })
  for (const [hex, { balance, nonce, code, storage }] of Object.entries(pre)) {
    const address = createAddressFromString(hex)
    await state.putAccount(address, createAccount({ balance, nonce }))
    if (code !== '0x') await state.putCode(address, hexToBytes(code))
    for (const [slot, value] of Object.entries(storage))
      await state.putStorage(address, setLengthLeft(hexToBytes(even(slot)), 32), hexToBytes(even(value)))
  }
  await state.flush()
  return state
}

const even = (hex) => (hex.length % 2 ? `0x0${hex.slice(2)}` : hex)

export function headerOf(env) {
  return {
    coinbase: env.coinbase,
    number: env.number,
    timestamp: env.timestamp,
    gasLimit: env.gasLimit,
    difficulty: env.difficulty,
    mixHash: env.prevRandao,
    baseFeePerGas: env.baseFee,
    excessBlobGas: env.excessBlobGas,
    blobGasUsed: env.excessBlobGas === undefined ? undefined : 0n,
  }
}

export function signedTransaction(tx, common, secret) {
  const made = createTx(
    {
      type: tx.kind,
      chainId: tx.chainId ?? 1n,
      nonce: tx.nonce,
      gasLimit: tx.gasLimit,
      value: tx.value,
      to: tx.to,
      data: tx.data,
      accessList: tx.accessList,
      ...(tx.kind >= 2 ? { maxFeePerGas: tx.maxFee, maxPriorityFeePerGas: tx.tip } : { gasPrice: tx.gasPrice }),
      ...(tx.kind === 3 ? { maxFeePerBlobGas: tx.maxFeePerBlobGas, blobVersionedHashes: tx.blobHashes } : {}),
      ...(tx.kind === 4
        ? {
            authorizationList: tx.authorizations.map(({ signer, ...item }) => ({
              ...item,
              r: even(item.r),
              s: even(item.s),
            })),
          }
        : {}),
    },
    { common },
  )
  return made.sign(hexToBytes(secret))
}

// The steps of what a machine runs, as trace.js has them; undefined when there are too many.
function recordSteps(vm) {
  const steps = []
  const record = ({ pc, opcode, gasLeft, depth, stack }) => {
    const text = stepText(pc, opcode.code, gasLeft, depth + 1, stack, (item) => item.toString(16))
    steps.push({ text, depth: depth + 1 })
    if (steps.length > stepsMost) vm.evm.events.off('step', record)
  }
  vm.evm.events.on('step', record)
  return () => (steps.length > stepsMost ? undefined : steps)
}

// {root, logs, rejected (why), gasUsed, isSuccess, output (hex), steps (a list), isLong (too many)}
export async function runStateCase(item, secret, hasSteps = true) {
  const common = commonOf(item.fork)
  const state = await stateOf(item.pre, common)
  const vm = await createVM({ common, stateManager: state, blockchain })
  const steps = hasSteps ? recordSteps(vm) : () => undefined
  let logs = []
  let outcome = {}
  try {
    const tx = signedTransaction(item.tx, common, secret)
    const block = createBlock({ header: headerOf(item.env) }, { common, skipConsensusFormatValidation: true })
    const { execResult, totalGasSpent } = await runTx(vm, { tx, block })
    logs = execResult.logs ?? []
    outcome = {
      gasUsed: totalGasSpent,
      isSuccess: execResult.exceptionError === undefined,
      output: bytesToHex(execResult.returnValue),
      steps: steps(),
      isLong: hasSteps && steps() === undefined,
    }
  } catch (problem) {
    // showing a step of REVERT it reads the memory named before anybody has paid for it
    if (hasSteps && problem instanceof RangeError) return runStateCase(item, secret, false)
    outcome.rejected = problem.message
  }
  // the reward of 0 that state tests give in any case touches the beneficiary
  const beneficiary = createAddressFromString(item.env.coinbase)
  const account = await state.getAccount(beneficiary)
  if (item.fork < forkIndex.EIP158 && account === undefined) await state.putAccount(beneficiary, new Account())
  if (item.fork >= forkIndex.EIP158 && account?.isEmpty()) await state.deleteAccount(beneficiary)
  await state.flush()
  return {
    root: bytesToHex(await state.getStateRoot()),
    logs: bytesToHex(logs.length === 0 ? KECCAK256_RLP_ARRAY : keccak_256(RLP.encode(logs))),
    ...outcome,
  }
}
