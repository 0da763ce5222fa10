// Compiles contracts/NAME.sol with npm's solc. What a run compiled is kept for the next in node_modules/.cache.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
const kept = fileURLToPath(new URL('node_modules/.cache/hanse/', import.meta.url))

// The contract of a file's name, or another part of the file.
export const compile = (name, part = name) => compileAll(name)[part]

// Every contract of a file: { NAME: { abi, bytecode } }.
export function compileAll(name) {
  const file = `${name}.sol`
  const content = readFileSync(new URL(`contracts/${file}`, import.meta.url), 'utf8')
  const versions = ['solc', '@openzeppelin/contracts', '@openzeppelin/contracts-upgradeable'].map((each) => require(`${each}/package.json`).version)
  const key = createHash('sha256').update(JSON.stringify([content, versions])).digest('hex')
  try {
    return JSON.parse(readFileSync(`${kept}${key}.json`, 'utf8'))
  } catch {
    const contracts = build(file, content)
    mkdirSync(kept, { recursive: true })
    const draft = `${kept}${key}.${process.pid}`
    writeFileSync(draft, JSON.stringify(contracts))
    renameSync(draft, `${kept}${key}.json`)
    return contracts
  }
}

function build(file, content) {
  const solc = require('solc')
  const input = {
    language: 'Solidity',
    sources: { [file]: { content } },
    settings: {
      optimizer: { enabled: true, runs: 200 },
      outputSelection: { [file]: { '*': ['abi', 'evm.bytecode.object'] } },
    },
  }
  const imported = (path) => ({ contents: readFileSync(require.resolve(path), 'utf8') })
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: imported }))
  const problems = (output.errors ?? []).filter((problem) => problem.severity === 'error')
  if (problems.length) throw new Error(problems.map((problem) => problem.formattedMessage).join('\n'))
  return Object.fromEntries(
    Object.entries(output.contracts[file]).map(([name, { abi, evm }]) => [name, { abi, bytecode: `0x${evm.bytecode.object}` }]),
  )
}
