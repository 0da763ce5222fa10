// Random chains of a few blocks, made by @ethereumjs/vm, as BlockchainTests.
import { readFileSync } from 'node:fs'
import { createBlock } from '@ethereumjs/block'
import { RLP } from '@ethereumjs/rlp'
import { bytesToHex, createAddressFromString, createWithdrawal } from '@ethereumjs/util'
import { buildBlock, createVM } from '@ethereumjs/vm'
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
import { commonOf, signedTransaction, stateOf } from './ethereumjs.js'
import { forkIndex, forks } from './opcodes.js'
import { accountsOf } from './state_test.js'

const systemContracts = JSON.parse(readFileSync(new URL('system_contracts.json', import.meta.url)))
const senders = [senderKey, ...authorityKeys.slice(0, 2)]

// One more contract: logs its call data as the deposit contract logs a deposit.
const depositContract = '0x00000000219ab540356cbb839cbe05303d7705fa'
const depositCode = '0x365f5f37' + '7f649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5' + '365fa100'

const word = (value) => Buffer.from(BigInt(value).toString(16).padStart(64, '0'), 'hex')

function deposit(random) {
  const parts = [48, 32, 8, 96, 8].map((size) =>
    Buffer.concat([word(size), random.bytes(size), Buffer.alloc((32 - (size % 32)) % 32)]),
  )
  let at = 160
  const offsets = parts.map((part) => {
    at += part.length
    return word(at - part.length)
  })
  return Buffer.concat([...offsets, ...parts])
}

// Some transactions ask the system contracts for something.
function systemTransaction(random, tx) {
  const [withdrawals, consolidations, ...others] = Object.keys(systemContracts)
  const [to, data] = random.pick([
    [withdrawals, random.bytes(56)],
    [consolidations, random.bytes(96)],
    [depositContract, deposit(random)],
    [random.pick(others), word(random.below(30))],
    [random.pick([withdrawals, consolidations]), new Uint8Array(0)],
  ])
  return { ...tx, kind: 2, to, data: Buffer.from(data), value: BigInt(random.below(4)), gasLimit: 400000n }
}

// The same block with one header field changed: no valid block.
function spoiled(random, block, common) {
  const fields = RLP.decode(block.serialize())
  const at = random.pick([3, 5, 6, 10])
  const field = Uint8Array.from(fields[0][at])
  if (field.length === 0) return undefined
  field[field.length - 1] ^= 1
  fields[0][at] = field
  // gas used may have become 0 with a leading zero byte
  if (at === 10 && field[0] === 0) return undefined
  return bytesToHex(RLP.encode(fields))
}

function genesisOf(common, fork, state, random) {
  return createBlock(
    {
      header: {
        number: 0n,
        gasLimit: 12000000n,
        difficulty: fork >= forkIndex.Paris ? 0n : 131072n,
        timestamp: 0n,
        stateRoot: state,
        baseFeePerGas: fork >= forkIndex.London ? BigInt(random.between(7, 100)) : undefined,
        excessBlobGas: fork >= forkIndex.Cancun ? BigInt(random.below(30) * 131072) : undefined,
      },
      withdrawals: fork >= forkIndex.Shanghai ? [] : undefined,
    },
    { common },
  )
}

function headerOf(random, fork, parent, common) {
  return {
    parentHash: parent.hash(),
    number: parent.header.number + 1n,
    coinbase,
    timestamp: parent.header.timestamp + BigInt(random.between(1, 40)),
    gasLimit: 12000000n,
    mixHash: fork >= forkIndex.Paris ? random.bytes(32) : undefined,
    baseFeePerGas: fork >= forkIndex.London ? parent.header.calcNextBaseFee() : undefined,
    excessBlobGas: fork >= forkIndex.Cancun ? parent.header.calcNextExcessBlobGas(common) : undefined,
    parentBeaconBlockRoot: fork >= forkIndex.Cancun ? random.bytes(32) : undefined,
  }
}

function withdrawalsOf(random) {
  return Array.from({ length: random.below(4) }, (_, index) =>
    createWithdrawal({
      index: BigInt(index),
      validatorIndex: BigInt(random.below(100)),
      address: createAddressFromString(random.pick([...contracts, sender, `0x${'0'.repeat(39)}d`])),
      amount: BigInt(random.below(3) * 1000),
    }),
  )
}

async function nextBlock(random, vm, fork, world, pre, parent) {
  const common = vm.common
  const header = headerOf(random, fork, parent, common)
  const builder = await buildBlock(vm, {
    parentBlock: parent,
    headerData: header,
    withdrawals: fork >= forkIndex.Shanghai ? withdrawalsOf(random) : undefined,
    blockOpts: {
      common,
      putBlockIntoBlockchain: false,
      ...(fork < forkIndex.Paris ? { calcDifficultyFromHeader: parent.header } : {}),
    },
  })
  const env = { baseFee: header.baseFeePerGas }
  let added = 0
  for (let i = random.between(1, random.once(4) ? 14 : 6); i > 0; i--) {
    const secret = random.pick(senders)
    const account = await vm.stateManager.getAccount(createAddressFromString(addressOf(secret)))
    let tx = transaction(random, fork, world, pre, env, { secret, nonce: account?.nonce ?? 0n })
    if (tx.gasLimit > 2000000n) tx.gasLimit = 2000000n
    if (fork >= forkIndex.Prague && random.once(4)) tx = systemTransaction(random, tx)
    try {
      await builder.addTransaction(signedTransaction(tx, common, secret), { allowNoBlobs: true })
      added++
    } catch {
      continue // not valid at this place
    }
  }
  return { block: (await builder.build()).block, added }
}

// {test, transactions}
export async function blockTest(random, chosenFork) {
  const fork = chosenFork ?? random.weighted(forks.map((_, index) => [index >= forkIndex.Cancun ? 4 : 1, index]))
  const common = commonOf(fork)
  const world = worldOf(random, fork)
  const pre = accounts(random, fork, world)
  for (const secret of senders.slice(1))
    pre[addressOf(secret)] = { balance: 10n ** 23n, nonce: 0n, code: '0x', storage: {} }
  for (const [address, code] of Object.entries(systemContracts))
    pre[address] = { balance: 0n, nonce: 1n, code, storage: {} }
  pre[depositContract] = { balance: 0n, nonce: 1n, code: depositCode, storage: {} }
  const state = await stateOf(pre, common)
  const genesis = genesisOf(common, fork, await state.getStateRoot(), random)

  const chain = [genesis]
  const blockchain = {
    async getBlock(number) {
      return chain[number]
    },
    shallowCopy() {
      return this
    },
  }
  const vm = await createVM({ common, stateManager: state, blockchain })
  const blocks = []
  let transactions = 0
  for (let i = random.between(1, 3); i > 0; i--) {
    const { block, added } = await nextBlock(random, vm, fork, world, pre, chain.at(-1))
    const bad = random.once(3) ? spoiled(random, block, common) : undefined
    if (bad) blocks.push({ rlp: bad, expectException: 'a field of the header was changed' })
    blocks.push({ rlp: bytesToHex(block.serialize()), blockHeader: { hash: bytesToHex(block.hash()) } })
    chain.push(block)
    transactions += added
  }
  const test = {
    network: forks[fork].name,
    genesisRLP: bytesToHex(genesis.serialize()),
    pre: accountsOf(pre),
    blocks,
    lastblockhash: bytesToHex(chain.at(-1).hash()),
    sealEngine: 'NoProof',
  }
  return { test, transactions }
}
