// Compiles contracts/NAME.sol with npm's solc; PART is the contract in it, if its name is another.
import { readFileSync } from 'node:fs'
import solc from 'solc'

export function compile(name, part = name) {
  const file = `${name}.sol`
  const content = readFileSync(new URL(`contracts/${file}`, import.meta.url), 'utf8')
  const output = JSON.parse(
    solc.compile(
      JSON.stringify({
        language: 'Solidity',
        sources: { [file]: { content } },
        settings: {
          optimizer: { enabled: true, runs: 200 },
          outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } },
        },
      }),
    ),
  )
  const problems = (output.errors ?? []).filter((problem) => problem.severity === 'error')
  if (problems.length) throw new Error(problems.map((problem) => problem.formattedMessage).join('\n'))
  const contract = output.contracts[file][part]
  return { abi: contract.abi, bytecode: `0x${contract.evm.bytecode.object}` }
}
