// What anvil (revm) makes of a case. Its blocks choose part of their own environment, so the case is changed to what the block
// had, and then given to the others.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { RLP } from '@ethereumjs/rlp'
import { KECCAK256_RLP_ARRAY, bytesToHex, hexToBytes } from '@ethereumjs/util'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { coinbase, sender } from './cases.js'
import { commonOf, signedTransaction, stateOf } from './ethereumjs.js'
import { forkIndex } from './opcodes.js'

const blockHashes = '0x0000f90827f1c53a10cb7a02335b175320002935'
const hex = (value) => `0x${BigInt(value).toString(16)}`
const word = (value) => `0x${BigInt(value).toString(16).padStart(64, '0')}`

// Not the earlier ones, where it takes Berlin's price of SSTORE and London's refunds.
export const anvilForks = {
  London: 'london',
  Paris: 'paris',
  Shanghai: 'shanghai',
  Cancun: 'cancun',
  Prague: 'prague',
  Osaka: 'osaka',
}

async function freePort() {
  const server = createServer()
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}

export class Anvil {
  static async start(forkName) {
    const anvil = new Anvil()
    anvil.fork = forkIndex[forkName]
    anvil.common = commonOf(anvil.fork)
    const port = await freePort()
    anvil.url = `http://127.0.0.1:${port}`
    const program = createRequire(import.meta.url).resolve('@foundry-rs/anvil-linux-amd64/bin/anvil')
    anvil.process = spawn(
      program,
      [
        '--port',
        port,
        '--hardfork',
        anvilForks[forkName],
        '--chain-id',
        1,
        '--accounts',
        1,
        '--balance',
        1,
        '--gas-limit',
        20000000,
        '--disable-default-create2-deployer',
        '--no-mining',
        '--order',
        'fifo',
        '--silent',
      ],
      { stdio: 'ignore' },
    )
    for (let i = 0; ; i++) {
      try {
        await anvil.call('eth_chainId')
        break
      } catch (problem) {
        if (i === 200 || anvil.process.exitCode !== null) throw problem
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
    anvil.base = await anvil.call('evm_snapshot')
    return anvil
  }

  async batch(requests) {
    const body = JSON.stringify(requests.map(([method, ...params], id) => ({ jsonrpc: '2.0', id, method, params })))
    const answers = await (
      await fetch(this.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    ).json()
    return answers.sort((a, b) => a.id - b.id)
  }

  async call(...request) {
    const [answer] = await this.batch([request])
    if (answer.error) throw new Error(answer.error.message)
    return answer.result
  }

  // Blob transactions would need their blobs. An authority that does not exist yet counts as existing here (the refund of
  // EIP-7702), against the specification and its tests. Senders may have code (EIP-3607 is switched off).
  takes(item) {
    if (item.pre[sender].code === '0x00') return false
    // the changed signature is that of somebody unknown
    if (item.tx.kind === 4) return item.tx.authorizations.every(({ signer, r }) => item.pre[signer] && r !== '0x1')
    return item.tx.kind !== 3
  }

  // An empty pool, and the next block's environment and accounts as the case has them. Returns the accounts as anvil has them.
  async prepare(env, pre) {
    await this.call('evm_revert', this.base)
    this.base = await this.call('evm_snapshot')
    const latest = await this.call('eth_getBlockByNumber', 'latest', false)
    const requests = [
      ['anvil_dropAllTransactions'],
      ['anvil_setCoinbase', coinbase],
      ['evm_setNextBlockTimestamp', hex(BigInt(latest.timestamp) + 1n + (env.timestamp % 1000n))],
    ]
    if (env.baseFee !== undefined) requests.push(['anvil_setNextBlockBaseFeePerGas', hex(env.baseFee)])
    for (const [address, { balance, nonce, code, storage }] of Object.entries(pre)) {
      requests.push(['anvil_setBalance', address, hex(balance)], ['anvil_setNonce', address, hex(nonce)])
      if (code !== '0x') requests.push(['anvil_setCode', address, code])
      for (const [slot, value] of Object.entries(storage))
        requests.push(['anvil_setStorageAt', address, word(slot), word(value)])
    }
    requests.push(['anvil_dumpState'])
    const answers = await this.batch(requests)
    for (const answer of answers) if (answer.error) throw new Error(`anvil: ${answer.error.message}`)
    return accountsIn(answers.at(-1).result)
  }

  // The serialized transaction; undefined when it cannot even be made.
  serialize(tx, secret) {
    try {
      return bytesToHex(signedTransaction(tx, this.common, secret).serialize())
    } catch {
      return undefined
    }
  }

  async accounts() {
    return accountsIn(await this.call('anvil_dumpState'))
  }

  // {item (with the block's environment), outcome}; undefined when anvil did not take the transaction
  async run(item, secret) {
    const raw = this.serialize(item.tx, secret)
    if (raw === undefined) return undefined
    const pre = await this.prepare(item.env, item.pre)
    const [sent] = await this.batch([['eth_sendRawTransaction', raw]])
    if (sent.error) return undefined
    await this.call('evm_mine')
    const [receipt, block, frame] = await this.batch([
      ['eth_getTransactionReceipt', sent.result],
      ['eth_getBlockByNumber', 'latest', false],
      ['debug_traceTransaction', sent.result, { tracer: 'callTracer', tracerConfig: { onlyTopCall: true } }],
    ])
    if (!receipt.result) return undefined
    const root = bytesToHex(await (await stateOf(await this.accounts(), this.common)).getStateRoot())
    return {
      item: { ...item, pre, env: this.environmentOf(item.env, block.result) },
      outcome: outcomeOf(receipt.result, frame.result, root),
    }
  }

  // What was asked for, as the block had it
  environmentOf(env, block) {
    return {
      ...env,
      number: BigInt(block.number),
      timestamp: BigInt(block.timestamp),
      gasLimit: BigInt(block.gasLimit),
      difficulty: BigInt(block.difficulty),
      coinbase: block.miner,
      prevRandao: this.fork >= forkIndex.Paris ? block.mixHash : undefined,
      baseFee: block.baseFeePerGas === undefined ? undefined : BigInt(block.baseFeePerGas),
      excessBlobGas: this.fork >= forkIndex.Cancun ? BigInt(block.excessBlobGas ?? 0) : undefined,
    }
  }

  async stop() {
    const ended = new Promise((resolve) => this.process.on('exit', resolve))
    this.process.kill('SIGTERM')
    await ended
  }
}

// The accounts that anvil lists, as a case has them. Its own state root counts accounts that were touched and are empty. Left
// out is the contract that anvil writes block hashes to (EIP-2935), which no program here asks.
function accountsIn(dump) {
  const accounts = {}
  // nonces are numbers of up to 64 bits, of which JSON.parse keeps 53
  const text = gunzipSync(hexToBytes(dump))
    .toString()
    .replace(/"nonce":(\d+)/g, '"nonce":"$1"')
  for (const [address, { balance, nonce, code, storage }] of Object.entries(JSON.parse(text).accounts)) {
    const account = { balance: BigInt(balance), nonce: BigInt(nonce), code, storage: {} }
    for (const [slot, value] of Object.entries(storage)) if (BigInt(value) !== 0n) account.storage[slot] = value
    const isEmpty = account.balance === 0n && account.nonce === 0n && code === '0x'
    if (!isEmpty && address !== blockHashes) accounts[address] = account
  }
  return accounts
}

const gasOfLong = 1000000n // traces of what took more are not asked for

function outcomeOf(receipt, frame, root) {
  const logs = receipt.logs.map(({ address, topics, data }) => [
    hexToBytes(address),
    topics.map(hexToBytes),
    hexToBytes(data),
  ])
  return {
    root,
    logs: bytesToHex(logs.length === 0 ? KECCAK256_RLP_ARRAY : keccak_256(RLP.encode(logs))),
    gasUsed: BigInt(receipt.gasUsed),
    isSuccess: receipt.status === '0x1',
    output: frame.output ?? '0x',
    isLong: BigInt(receipt.gasUsed) > gasOfLong,
  }
}
