// Random EVM programs that do something: operands fit their instructions, jumps land, calls find somebody.
import { operations, simple } from './opcodes.js'

const slots = 4 // programs use few storage keys, so that they meet each other's values

export class Program {
  // world: {fork (its index), addresses: [20-byte hex without prefix], precompile (its address)}
  constructor(random, world) {
    this.random = random
    this.world = world
    this.code = []
    this.depth = 0 // at least so many words are on the stack
    this.hoards = random.once(4) // leaves most of its words there
  }

  byte(...values) {
    this.code.push(...values)
    return this
  }

  op(name) {
    return this.byte(operations[name].code)
  }

  knows(name) {
    return operations[name].since <= this.world.fork || this.random.once(500)
  }

  push(value) {
    let hex = BigInt(value).toString(16)
    if (hex.length % 2) hex = `0${hex}`
    let bytes = Buffer.from(hex, 'hex')
    if (value === 0n && this.knows('PUSH0') && this.random.once(2)) return this.op('PUSH0')
    if (this.random.once(20)) bytes = Buffer.concat([Buffer.alloc(this.random.below(33 - bytes.length)), bytes])
    return this.byte(0x5f + bytes.length, ...bytes)
  }

  // A word for an operand: fresh, or one from the stack.
  operand() {
    if (this.depth > 0 && this.random.once(3)) return this.byte(0x80 + this.random.below(Math.min(this.depth, 16)))
    return this.push(this.random.word())
  }

  operands(count) {
    for (let i = 0; i < count; i++) {
      this.operand()
      this.depth++
    }
    this.depth -= count
  }

  // Offsets and sizes in memory: small, sometimes at an edge, seldom absurd.
  offset() {
    return this.random.weighted([
      [12, () => BigInt(this.random.below(100))],
      [6, () => BigInt(32 * this.random.below(6))],
      [2, () => BigInt(this.random.below(3000))],
      [1, () => this.random.word()],
    ])()
  }

  size() {
    return this.random.weighted([
      [3, () => 0n],
      [10, () => BigInt(this.random.below(70))],
      [4, () => 32n],
      [1, () => BigInt(this.random.below(1500))],
    ])()
  }

  slot() {
    return this.random.once(20) ? this.random.word() : BigInt(this.random.below(slots))
  }

  address() {
    return this.random.weighted([
      [10, () => BigInt(`0x${this.random.pick(this.world.addresses)}`)],
      [
        4,
        () => BigInt(this.random.pick([1, 2, 3, 4, 5, 6, 7, 8, 9, 0xa, 0xb, 0xc, 0xd, 0xf, 0x10, 0x11, 0x12, 0x100])),
      ],
      [1, () => this.random.word()],
    ])()
  }

  // What becomes of the word that a statement left.
  settle() {
    this.random.weighted([
      [this.hoards ? 20 : 4, () => this.depth++],
      [3, () => this.push(this.slot()).op('SSTORE')],
      [2, () => this.op('POP')],
      [2, () => this.push(this.offset()).op('MSTORE')],
    ])()
  }

  arithmetic() {
    const name = this.random.pick(simple)
    if (!this.knows(name)) return
    this.operands(operations[name].takes)
    this.op(name).settle()
  }

  ask() {
    const names = [
      'ADDRESS',
      'ORIGIN',
      'CALLER',
      'CALLVALUE',
      'CALLDATASIZE',
      'CODESIZE',
      'GASPRICE',
      'COINBASE',
      'TIMESTAMP',
      'NUMBER',
      'DIFFICULTY',
      'GASLIMIT',
      'CHAINID',
      'SELFBALANCE',
      'BASEFEE',
      'BLOBBASEFEE',
      'PC',
      'MSIZE',
      'GAS',
      'RETURNDATASIZE',
    ]
    const name = this.random.pick(names)
    if (name === 'DIFFICULTY' && this.world.isWithoutRandao) return
    if (this.knows(name)) this.op(name).settle()
  }

  askAbout() {
    const name = this.random.pick(['BALANCE', 'EXTCODESIZE', 'EXTCODEHASH', 'CALLDATALOAD', 'BLOCKHASH', 'BLOBHASH'])
    if (!this.knows(name) || (name === 'BLOCKHASH' && this.world.isWithoutBlockHashes)) return
    if (['BALANCE', 'EXTCODESIZE', 'EXTCODEHASH'].includes(name)) this.push(this.address())
    else if (name === 'BLOCKHASH') this.push(BigInt(this.random.below(300)))
    else this.push(BigInt(this.random.below(40)))
    this.op(name).settle()
  }

  memory() {
    const name = this.random.pick([
      'MSTORE',
      'MSTORE8',
      'MLOAD',
      'KECCAK256',
      'CALLDATACOPY',
      'CODECOPY',
      'EXTCODECOPY',
      'RETURNDATACOPY',
      'MCOPY',
    ])
    if (!this.knows(name)) return
    if (name.endsWith('COPY')) {
      // past its end return data fails
      if (name === 'RETURNDATACOPY' && !this.random.once(20)) this.op('RETURNDATASIZE').push(0n)
      else this.push(this.size()).push(this.offset())
      this.push(this.offset())
      if (name === 'EXTCODECOPY') this.push(this.address())
      this.op(name)
    } else if (name === 'KECCAK256') {
      this.push(this.size()).push(this.offset()).op(name).settle()
    } else if (name === 'MLOAD') {
      this.push(this.offset()).op(name).settle()
    } else {
      this.operand()
      this.push(this.offset()).op(name)
    }
  }

  storage() {
    const name = this.random.weighted([
      [4, 'SSTORE'],
      [3, 'SLOAD'],
      [1, 'TSTORE'],
      [1, 'TLOAD'],
    ])
    if (!this.knows(name)) return
    if (name.endsWith('STORE'))
      this.push(this.random.once(4) ? this.random.word() : BigInt(this.random.below(3)))
        .push(this.slot())
        .op(name)
    else this.push(this.slot()).op(name).settle()
  }

  shuffle() {
    if (this.depth < 2) return
    if (this.random.once(2)) {
      this.byte(0x80 + this.random.below(Math.min(this.depth, 16)))
      this.depth++
    } else {
      this.byte(0x90 + this.random.below(Math.min(this.depth - 1, 16)))
    }
  }

  log() {
    const topics = this.random.below(5)
    this.operands(topics)
    this.push(this.size())
      .push(this.offset())
      .byte(0xa0 + topics)
  }

  gas() {
    if (this.random.once(2)) return this.op('GAS')
    return this.push(
      this.random.weighted([
        [3, BigInt(this.random.below(5000))],
        [5, BigInt(this.random.below(100000))],
        [1, this.random.word()],
      ]),
    )
  }

  call() {
    const name = this.random.weighted([
      [4, 'CALL'],
      [2, 'DELEGATECALL'],
      [2, 'STATICCALL'],
      [1, 'CALLCODE'],
    ])
    if (!this.knows(name)) return
    if (this.random.once(2)) this.push(this.size()).push(0n).push(this.offset()).op('CALLDATACOPY')
    this.push(this.size()).push(this.offset()).push(this.size()).push(this.offset())
    if (name.startsWith('CALL')) this.push(this.random.once(3) ? BigInt(this.random.below(1000)) : 0n)
    if (this.random.once(12)) this.op('ADDRESS').gas()
    else this.push(this.address()).gas()
    this.op(name).settle()
    if (this.random.once(2) && this.knows('RETURNDATACOPY'))
      this.op('RETURNDATASIZE').push(0n).push(this.offset()).op('RETURNDATACOPY')
  }

  // The call data, which fit it, to the precompiled contract of this case; a digest of the answer is left.
  precompile() {
    const isOld = this.world.fork < operations.RETURNDATASIZE.since
    const name = this.random.pick(isOld ? ['CALL', 'CALLCODE'] : ['CALL', 'CALLCODE', 'DELEGATECALL', 'STATICCALL'])
    this.op('CALLDATASIZE').push(0n).push(0n).op('CALLDATACOPY')
    this.push(64n).push(0n).op('CALLDATASIZE').push(0n)
    if (name.startsWith('CALL')) this.push(this.random.once(4) ? 1n : 0n)
    this.push(BigInt(this.world.precompile))
    if (this.random.once(4)) this.gas()
    else this.op('GAS')
    this.op(name).settle()
    if (isOld) this.push(64n)
    else this.op('RETURNDATASIZE').push(0n).push(0n).op('RETURNDATACOPY').op('RETURNDATASIZE')
    this.push(0n).op('KECCAK256').settle()
  }

  // Code and init code of sizes about the limits, and code that must not come to be.
  createAtLimit() {
    const name = this.random.once(2) || !this.knows('CREATE2') ? 'CREATE' : 'CREATE2'
    const code = this.random.pick([24575n, 24576n, 24577n])
    // PUSH2 size, PUSH1 0, RETURN; or PUSH1 0xef, PUSH1 0, MSTORE8, PUSH1 1, PUSH1 0, RETURN
    const init = this.random.once(3)
      ? 0x60ef60005360016000f3n << 176n
      : (((0x61n << 16n) | code) << 232n) | (0x6000f3n << 208n)
    this.push(init).push(0n).op('MSTORE')
    if (name === 'CREATE2') this.push(BigInt(this.random.below(3)))
    this.push(this.random.pick([10n, 32n, 49151n, 49152n, 49153n]))
      .push(0n)
      .push(0n)
    this.op(name).settle()
  }

  // Init code of up to two words: a small program, or one that returns a piece of memory as the code.
  create() {
    const name = this.random.once(2) ? 'CREATE' : 'CREATE2'
    if (!this.knows(name)) return
    const body = new Program(this.random, this.world)
    for (let i = this.random.below(4); i > 0; i--) body[this.random.pick(['storage', 'arithmetic', 'memory', 'ask'])]()
    if (this.random.once(6)) body.push(this.address()).op('SELFDESTRUCT')
    if (this.random.once(2))
      body
        .push(BigInt(this.random.below(40)))
        .push(0n)
        .op('RETURN')
    const init = Buffer.from(body.code).subarray(0, 64)
    for (let at = 0; at < init.length; at += 32) {
      const piece = Buffer.alloc(32)
      init.copy(piece, 0, at)
      this.push(BigInt(`0x${piece.toString('hex')}`))
        .push(BigInt(at))
        .op('MSTORE')
    }
    if (name === 'CREATE2') this.push(BigInt(this.random.below(3)))
    this.push(BigInt(init.length))
      .push(0n)
      .push(this.random.once(4) ? BigInt(this.random.below(100)) : 0n)
    this.op(name)
    if (this.random.once(2)) {
      // call what was made
      this.push(0n).push(0n).push(0n).push(0n).push(0n).byte(0x85).gas().op('CALL').op('POP')
    }
    this.settle()
  }

  // A branch over a few statements; what they leave on the stack is not counted on behind them.
  branch(level, isCounted) {
    this.operand()
    const setEnd = this.pushPlace()
    this.op('JUMPI')
    const depth = this.depth
    this.neutral(() => this.statements(this.random.between(1, 3), level + 1, isCounted))
    this.depth = depth
    setEnd()
  }

  // A place to be known later: writes PUSH2 of it, and gives what sets it to here.
  pushPlace() {
    const at = this.code.length
    this.byte(0x61, 0, 0)
    return () => {
      this.code[at + 1] = this.code.length >> 8
      this.code[at + 2] = this.code.length & 255
      this.op('JUMPDEST')
    }
  }

  // A word from the operands that it takes
  compute() {
    const names = simple.filter((name) => this.knows(name))
    const name = this.random.pick(names)
    this.operands(operations[name].takes)
    this.op(name)
  }

  // One of two ways to a word.
  choose() {
    this.operand()
    const setOther = this.pushPlace()
    this.op('JUMPI')
    this.compute()
    const setEnd = this.pushPlace()
    this.op('JUMP')
    setOther()
    this.compute()
    setEnd()
    this.settle()
  }

  // A loop over a few words that it changes and exchanges; the counter lies on top of them.
  crunch() {
    const words = this.random.between(1, 4)
    for (let i = 0; i < words; i++) this.push(this.random.word())
    this.push(BigInt(this.random.between(1, 12)))
    const depth = this.depth
    this.depth = 0
    const target = this.code.length
    this.op('JUMPDEST')
    for (let i = this.random.between(1, 6); i > 0; i--) {
      const [from, to] = [this.random.between(1, words), this.random.between(1, words)]
      if (this.random.once(3)) {
        if (from !== to) this.byte(0x8f + from, 0x8f + to, 0x8f + from)
      } else {
        // the operands: a word each, or a number; then the result takes a word's place
        const name = this.random.pick(simple.filter((each) => this.knows(each)))
        const { takes } = operations[name]
        for (let j = 0; j < takes; j++)
          if (this.random.once(3)) this.push(this.random.word())
          else this.byte(0x80 + j + this.random.between(1, words))
        this.op(name)
          .byte(0x90 + to)
          .op('POP')
      }
    }
    this.push(1n).byte(0x90).op('SUB').byte(0x80)
    this.byte(0x61, target >> 8, target & 255)
      .op('JUMPI')
      .op('POP')
    this.depth = depth
    for (let i = 0; i < words; i++) this.settle()
  }

  // A subroutine of two words, as compilers write them; made at its first use.
  subroutine() {
    if (this.entry === undefined) {
      const setOver = this.pushPlace()
      this.op('JUMP')
      this.entry = this.code.length
      const depth = this.depth
      this.depth = 2
      this.op('JUMPDEST')
      const isTaken = (name) => this.knows(name) && operations[name].takes === 2
      this.op(this.random.pick(simple.filter(isTaken)))
      this.depth = 1
      for (let i = this.random.below(3); i > 0; i--) {
        this.operand()
        this.op(this.random.pick(simple.filter(isTaken)))
      }
      this.byte(0x90).op('JUMP')
      this.depth = depth
      setOver()
    }
    const setReturn = this.pushPlace()
    this.depth++
    this.operands(2)
    this.depth--
    this.byte(0x61, this.entry >> 8, this.entry & 255).op('JUMP')
    setReturn()
    this.settle()
  }

  // Runs `write`, then drops what it left on the stack.
  neutral(write) {
    const depth = this.depth
    write()
    while (this.depth > depth) {
      this.op('POP')
      this.depth--
    }
  }

  // Counts down from a small number.
  loop(level) {
    this.push(BigInt(this.random.between(1, 20)))
    this.depth++
    const target = this.code.length
    this.op('JUMPDEST')
    this.neutral(() => this.statements(this.random.between(1, 3), level + 1, true))
    this.push(1n).byte(0x90).op('SUB').byte(0x80)
    this.byte(0x61, target >> 8, target & 255)
      .op('JUMPI')
      .op('POP')
    this.depth--
  }

  end() {
    this.random.weighted([
      [4, () => this.push(this.size()).push(this.offset()).op('RETURN')],
      [2, () => this.push(this.size()).push(this.offset()).op('REVERT')],
      [2, () => this.op('STOP')],
      [1, () => (this.random.once(4) ? this.op('ADDRESS') : this.push(this.address())).op('SELFDESTRUCT')],
      [1, () => this.op('INVALID')],
      [1, () => this.stumble()],
    ])()
  }

  // Ends that nobody means: a jump to anywhere, the stack running over in a loop or running empty.
  stumble() {
    const target = this.code.length
    this.random.weighted([
      [2, () => this.push(BigInt(this.random.below(target + 40))).op('JUMP')],
      [1, () => this.push(this.random.word()).op('JUMP')],
      [2, () => this.flood(target)],
      [1, () => this.byte(0x80 + this.random.below(16))],
      [1, () => this.byte(...Array.from({ length: this.depth + 3 }, () => operations.ADD.code))],
    ])()
  }

  // Pushes a few words again and again.
  flood(target) {
    this.op('JUMPDEST')
    for (let i = this.random.between(1, 9); i > 0; i--) this.op(this.random.pick(['PC', 'CALLER', 'MSIZE', 'ADDRESS']))
    this.byte(0x61, target >> 8, target & 255).op('JUMP')
  }

  // isCounted: inside a loop, whose counter must stay where it is
  statements(count, level, isCounted = false) {
    for (let i = 0; i < count; i++) {
      const kinds = [
        [10, 'arithmetic'],
        [4, 'ask'],
        [3, 'askAbout'],
        [6, 'memory'],
        [6, 'storage'],
        [2, 'log'],
        [6, 'call'],
        [4, 'create'],
        [2, 'precompile'],
        [3, 'choose'],
        [2, 'crunch'],
        [2, 'subroutine'],
        ...(this.random.once(10) ? [[3, 'createAtLimit']] : []),
        ...(isCounted ? [] : [[3, 'shuffle']]),
        ...(level < 3
          ? [
              [2, 'branch'],
              [1, 'loop'],
            ]
          : []),
      ]
      this[this.random.weighted(kinds)](level, isCounted)
      if (this.random.once(300)) this.byte(this.random.below(256))
      if (this.random.once(60)) this.branchToEnd()
    }
  }

  branchToEnd() {
    this.operand()
    const setEnd = this.pushPlace()
    this.op('JUMPI')
    this.end()
    setEnd()
  }

  // A whole program; its stack goes to storage at the end, where differences show.
  static write(random, world) {
    if (random.once(30)) return Buffer.from(random.bytes(random.below(60)))
    const program = new Program(random, world)
    program.statements(random.between(1, random.once(4) ? 60 : 20), 0)
    for (let i = 0; i < Math.min(program.depth, 5); i++) program.push(BigInt(i)).op('SSTORE')
    if (random.once(2)) program.end()
    return Buffer.from(program.code)
  }
}
