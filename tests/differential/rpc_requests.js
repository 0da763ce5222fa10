// Random requests about a chain. Block hashes stand in them as "#N", since the two nodes have different ones.
import { bytesToHex } from '@ethereumjs/util'
import { addressOf } from './cases.js'
import { everybody, helpers, inputOf, senders } from './rpc_world.js'

const hex = (value) => `0x${BigInt(value).toString(16)}`
const word = (value) => `0x${BigInt(value).toString(16).padStart(64, '0')}`

export class Requests {
  // chain: {last (number of the newest block), transactions (hashes), created (addresses), topics}
  constructor(random, chain) {
    Object.assign(this, { random, chain })
  }

  number() {
    return this.random.below(this.chain.last + 1)
  }

  address() {
    const { random, chain } = this
    if (random.once(4) && chain.created.length > 0) return random.pick(chain.created)
    return random.once(12) ? bytesToHex(random.bytes(20)) : random.pick(everybody)
  }

  hash() {
    const { random, chain } = this
    return chain.transactions.length === 0 || random.once(12)
      ? bytesToHex(random.bytes(32))
      : random.pick(chain.transactions)
  }

  // A block for methods about state: number, name, EIP-1898 object; sometimes one that is not there.
  block() {
    const { random } = this
    return random.weighted([
      [6, () => 'latest'],
      [6, () => hex(this.number())],
      [1, () => 'earliest'],
      [1, () => 'pending'],
      [1, () => ({ blockNumber: hex(this.number()) })],
      [2, () => ({ blockHash: `#${this.number()}` })],
      [1, () => ({ blockHash: `#${this.number()}`, requireCanonical: random.once(2) })],
      [1, () => hex(this.chain.last + 1 + random.below(5))],
      [1, () => ({ blockHash: bytesToHex(random.bytes(32)) })],
    ])()
  }

  numberOrName() {
    const { random } = this
    return random.once(5) ? random.pick(['latest', 'earliest']) : hex(this.number() + (random.once(20) ? 100 : 0))
  }

  blockHash() {
    return this.random.once(20) ? bytesToHex(this.random.bytes(32)) : `#${this.number()}`
  }

  slot() {
    const { random } = this
    return random.once(3) ? word(random.below(5)) : random.once(10) ? word(random.word()) : hex(random.below(5))
  }

  overrides() {
    const { random } = this
    const out = {}
    for (let i = random.between(1, 2); i > 0; i--) {
      const one = {}
      if (random.once(2)) one.balance = hex(random.below(1 << 30))
      if (random.once(4)) one.nonce = hex(random.below(9))
      if (random.once(3)) one.code = random.pick(['0x602a5f5260205ff3', '0x5f545f5260205ff3', '0x475f5260205ff3', '0x'])
      if (random.once(3)) one[random.pick(['state', 'stateDiff'])] = { [word(random.below(3))]: word(random.below(99)) }
      out[this.address()] = one
    }
    return out
  }

  call() {
    const { random } = this
    const to = random.once(12) ? undefined : random.once(2) ? random.pick(helpers) : this.address()
    const out = { from: addressOf(random.pick(senders)) }
    if (random.once(8)) delete out.from
    if (to !== undefined) out.to = to
    else out.data = random.pick(['0x602a5f5260205ff3', '0x5ffd', '0x', '0x60aa5f5360015ffd'])
    if (to !== undefined && !random.once(6)) out[random.once(3) ? 'data' : 'input'] = inputOf(random, to)
    if (random.once(4)) out.value = hex(random.once(8) ? 10n ** 30n : random.below(200))
    if (random.once(4)) out.gas = hex(random.once(6) ? random.between(21000, 22000) : random.between(30000, 3000000))
    if (random.once(8)) out.gasPrice = hex(random.between(1, 1000))
    else if (random.once(8)) out.maxFeePerGas = hex(random.between(1, 1000))
    if (random.once(10)) out.accessList = [{ address: this.address(), storageKeys: [word(random.below(3))] }]
    return out
  }

  // Without fees: anvil takes a cap for a tip.
  traced() {
    const { gasPrice, maxFeePerGas, ...rest } = this.call()
    return { ...rest, gas: hex(this.random.between(25000, 100000)) }
  }

  topic() {
    return this.random.once(12) ? bytesToHex(this.random.bytes(32)) : word(this.random.below(4))
  }

  logFilter(hasRange = true) {
    const { random } = this
    const out = {}
    if (hasRange && random.once(4)) out.blockHash = this.blockHash()
    else if (hasRange) {
      const from = this.number()
      if (!random.once(6)) out.fromBlock = random.once(4) ? 'earliest' : hex(from)
      if (!random.once(6)) out.toBlock = random.once(2) ? 'latest' : hex(random.between(from, this.chain.last))
    }
    if (random.once(2))
      out.address = random.once(2)
        ? this.address()
        : Array.from({ length: random.below(5) }, () => random.pick([...helpers, this.address()]))
    if (!random.once(3))
      out.topics = Array.from({ length: random.below(random.once(10) ? 6 : 4) }, () =>
        random.weighted([
          [3, () => null],
          [3, () => this.topic()],
          [2, () => Array.from({ length: random.below(4) }, () => this.topic())],
        ])(),
      )
    return out
  }

  tracer(last) {
    const { random } = this
    const tracer = random.pick(['callTracer', 'callTracer', 'prestateTracer', last])
    if (tracer === 'structLogger')
      return random.pick([
        {},
        { enableMemory: true },
        { disableStack: true, disableStorage: true },
        { enableReturnData: true },
      ])
    const config = {}
    if (tracer === 'callTracer') config.tracerConfig = random.pick([{}, { withLog: true }, { onlyTopCall: true }])
    if (tracer === 'prestateTracer') config.tracerConfig = random.pick([{}, { diffMode: true }])
    return { tracer, ...config }
  }

  // A good request with one parameter that is not.
  bad() {
    const { random } = this
    const address = everybody[0]
    return random.pick([
      ['eth_getBalance'],
      ['eth_getBalance', '0x12', 'latest'],
      ['eth_getBalance', address.slice(2), 'latest'],
      ['eth_getBalance', 17, 'latest'],
      ['eth_getBalance', address, 'newest'],
      ['eth_getBalance', address, '0x'],
      ['eth_getBalance', address, `0x1${'0'.repeat(20)}`],
      ['eth_getBalance', address, { blockHash: '0x12' }],
      ['eth_getTransactionCount', null, 'latest'],
      ['eth_getStorageAt', address, 'zero', 'latest'],
      ['eth_getStorageAt', address, `0x1${'0'.repeat(64)}`, 'latest'],
      ['eth_getCode', {}],
      ['eth_getBlockByNumber', 'never', false],
      ['eth_getBlockByNumber', '0x0', 'yes'],
      ['eth_getBlockByHash', '0x12', false],
      ['eth_getTransactionByHash', '0x12'],
      ['eth_getTransactionReceipt'],
      ['eth_getTransactionReceipt', `0x${'zz'.repeat(32)}`],
      ['eth_getTransactionByBlockNumberAndIndex', 'latest', 'first'],
      ['eth_call'],
      ['eth_call', 'nothing', 'latest'],
      ['eth_call', { to: '0x12' }, 'latest'],
      ['eth_call', { to: address, data: '0x123' }, 'latest'],
      ['eth_call', { to: address, value: 'much' }, 'latest'],
      ['eth_call', { to: address, gas: `0x1${'0'.repeat(20)}` }, 'latest'],
      ['eth_estimateGas', { from: addressOf(senders[0]), to: helpers[0], gasPrice: '1' }],
      ['eth_getLogs', { fromBlock: 'never' }],
      ['eth_getLogs', { address: '0x12' }],
      ['eth_getLogs', { topics: ['0x12'] }],
      ['eth_getLogs', { topics: 'all' }],
      ['eth_getLogs', { blockHash: `#0`, fromBlock: '0x0' }],
      ['eth_getLogs'],
      ['eth_getFilterChanges', '0x123456789'],
      ['eth_sendRawTransaction'],
      ['eth_sendRawTransaction', 'raw'],
      ['eth_sendRawTransaction', 12],
      ['eth_feeHistory', '0x1', 'newest', []],
      ['eth_feeHistory', '0x1', 'latest', [101]],
      ['eth_feeHistory', '0x1', 'latest', [20, 10]],
      ['eth_feeHistory', '0x1', hex(this.chain.last + 50), []],
      ['debug_traceTransaction', '0x12'],
      ['debug_traceTransaction', `0x${'12'.repeat(32)}`],
      ['debug_traceTransaction', this.hash(), { tracer: 'noTracer' }],
      ['eth_noSuchMethod'],
      ['nothing'],
    ])
  }

  next() {
    const { random } = this
    return random.weighted([
      [3, () => ['eth_getBalance', this.address(), this.block()]],
      [3, () => ['eth_getTransactionCount', this.address(), this.block()]],
      [2, () => ['eth_getCode', this.address(), this.block()]],
      [4, () => ['eth_getStorageAt', this.address(), this.slot(), this.block()]],
      [8, () => ['eth_call', this.call(), this.block()]],
      [4, () => ['eth_call', this.call(), this.block(), this.overrides()]],
      [6, () => ['eth_estimateGas', this.call(), ...(random.once(2) ? [] : [this.block()])]],
      [2, () => ['eth_createAccessList', this.call(), this.block()]],
      [5, () => ['eth_getTransactionReceipt', this.hash()]],
      [3, () => ['eth_getTransactionByHash', this.hash()]],
      [1, () => ['eth_getRawTransactionByHash', this.hash()]],
      [2, () => ['eth_getTransactionByBlockNumberAndIndex', this.numberOrName(), hex(random.below(4))]],
      [1, () => ['eth_getTransactionByBlockHashAndIndex', this.blockHash(), hex(random.below(4))]],
      [3, () => ['eth_getBlockByNumber', this.numberOrName(), random.once(2)]],
      [2, () => ['eth_getBlockByHash', this.blockHash(), random.once(2)]],
      [2, () => ['eth_getBlockReceipts', this.numberOrName()]],
      [1, () => ['eth_getBlockTransactionCountByNumber', this.numberOrName()]],
      [1, () => ['eth_getBlockTransactionCountByHash', this.blockHash()]],
      [1, () => ['eth_getUncleCountByBlockNumber', this.numberOrName()]],
      [1, () => ['eth_getUncleCountByBlockHash', this.blockHash()]],
      [10, () => ['eth_getLogs', this.logFilter()]],
      [6, () => ['debug_traceTransaction', this.hash(), this.tracer('4byteTracer')]],
      [3, () => ['debug_traceCall', this.traced(), this.block(), this.tracer('structLogger')]],
      [2, () => ['eth_feeHistory', hex(random.between(0, 6)), this.numberOrName(), random.once(3) ? [] : [0, 100]]],
      [
        1,
        () =>
          random.pick([
            ['eth_blockNumber'],
            ['eth_chainId'],
            ['net_version'],
            ['eth_syncing'],
            ['net_listening'],
            ['eth_blobBaseFee'],
            ['web3_sha3', bytesToHex(random.bytes(random.below(50)))],
          ]),
      ],
      [6, () => this.bad()],
    ])()
  }
}
