// The instructions that random programs use: code, operands taken, and the first fork (index into `forks`) that has it.
export const forks = [
  { name: 'Frontier', other: 'chainstart' },
  { name: 'Homestead', other: 'homestead' },
  { name: 'EIP150', other: 'tangerineWhistle' },
  { name: 'EIP158', other: 'spuriousDragon' },
  { name: 'Byzantium', other: 'byzantium' },
  { name: 'ConstantinopleFix', other: 'petersburg' },
  { name: 'Istanbul', other: 'istanbul' },
  { name: 'Berlin', other: 'berlin' },
  { name: 'London', other: 'london' },
  { name: 'Paris', other: 'paris' },
  { name: 'Shanghai', other: 'shanghai' },
  { name: 'Cancun', other: 'cancun' },
  { name: 'Prague', other: 'prague' },
  { name: 'Osaka', other: 'osaka' },
]
export const forkIndex = Object.fromEntries(forks.map(({ name }, index) => [name, index]))

const table = [
  [0x01, 'ADD MUL SUB DIV SDIV MOD SMOD', 2],
  [0x08, 'ADDMOD MULMOD', 3],
  [0x0a, 'EXP SIGNEXTEND', 2],
  [0x10, 'LT GT SLT SGT EQ', 2],
  [0x15, 'ISZERO', 1],
  [0x16, 'AND OR XOR', 2],
  [0x19, 'NOT', 1],
  [0x1a, 'BYTE', 2],
  [0x1b, 'SHL SHR SAR', 2, 'ConstantinopleFix'],
  [0x1e, 'CLZ', 1, 'Osaka'],
  [0x20, 'KECCAK256', 2],
  [
    0x30,
    'ADDRESS BALANCE ORIGIN CALLER CALLVALUE CALLDATALOAD CALLDATASIZE CALLDATACOPY CODESIZE CODECOPY GASPRICE',
    0,
  ],
  [0x3b, 'EXTCODESIZE EXTCODECOPY', 0],
  [0x3d, 'RETURNDATASIZE RETURNDATACOPY', 0, 'Byzantium'],
  [0x3f, 'EXTCODEHASH', 0, 'ConstantinopleFix'],
  [0x40, 'BLOCKHASH COINBASE TIMESTAMP NUMBER DIFFICULTY GASLIMIT', 0],
  [0x46, 'CHAINID SELFBALANCE', 0, 'Istanbul'],
  [0x48, 'BASEFEE', 0, 'London'],
  [0x49, 'BLOBHASH BLOBBASEFEE', 0, 'Cancun'],
  [0x50, 'POP MLOAD MSTORE MSTORE8 SLOAD SSTORE JUMP JUMPI PC MSIZE GAS JUMPDEST', 0],
  [0x5c, 'TLOAD TSTORE MCOPY', 0, 'Cancun'],
  [0x5f, 'PUSH0', 0, 'Shanghai'],
  [0xf0, 'CREATE CALL CALLCODE RETURN', 0],
  [0xf4, 'DELEGATECALL', 0, 'Homestead'],
  [0xf5, 'CREATE2', 0, 'ConstantinopleFix'],
  [0xfa, 'STATICCALL', 0, 'Byzantium'],
  [0xfd, 'REVERT', 0, 'Byzantium'],
  [0xfe, 'INVALID SELFDESTRUCT', 0],
  [0x00, 'STOP', 0],
]

export const operations = {}
for (const [first, names, takes, fork] of table)
  names.split(' ').forEach((name, i) => {
    operations[name] = { code: first + i, takes, since: forkIndex[fork ?? 'Frontier'] }
  })

// One word from one to three, and nothing else
export const simple = Object.keys(operations).filter((name) => operations[name].code < 0x20 && name !== 'STOP')
