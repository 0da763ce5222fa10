// A project as a developer would have it. The compiler is npm's solc, so that nothing is fetched while tests run.
const { join } = require('node:path')
const { subtask } = require('hardhat/config')
const { TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD } = require('hardhat/builtin-tasks/task-names')
require('@nomicfoundation/hardhat-ethers')
require('@nomicfoundation/hardhat-chai-matchers')

const { version } = require('solc/package.json')

subtask(TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD, async () => ({
  compilerPath: require.resolve('solc/soljson.js'),
  isSolcJs: true,
  version,
  longVersion: require('solc').version().replace(/\.Emscripten.*/, ''),
}))

// Publicly known keys of the development ledger.
const accounts = [
  '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
  '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d',
]
const scratch = process.env.HARDHAT_SCRATCH ?? __dirname

module.exports = {
  solidity: version,
  networks: { hanse: { url: process.env.HANSE_URL ?? 'http://127.0.0.1:8545', accounts } },
  paths: { cache: join(scratch, 'cache'), artifacts: join(scratch, 'artifacts') },
}
