#!/usr/bin/env node
// npm's solc with the face of the native compiler, as far as forge asks for it: `--version`, and `--standard-json` from
// standard input to standard output.
import { readFileSync } from 'node:fs'
import solc from 'solc'

if (process.argv.includes('--version')) {
  const version = solc.version().replace(/Emscripten.clang$/, 'Linux.g++')
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${version}`)
} else if (process.argv.includes('--standard-json')) {
  process.stdout.write(solc.compile(readFileSync(0, 'utf8')))
} else {
  console.error('solc.js: --version or --standard-json')
  process.exitCode = 2
}
