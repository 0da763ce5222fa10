// Runs Hyperledger Caliper's Ethereum connector over WebSocket against a node, and reads its report.
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))

// options: url (WebSocket), contract (abi, bytecode), deployer ({ address, key }), seed (worker i signs with the key of
// m/44'/60'/i'/0/0), workers, rounds (as Caliper's benchmark file has them, without the workload's module).
// Gives { rounds: [{ name, succeeded, failed, rate }], output }.
export async function runCaliper(options) {
  const folder = mkdtempSync(join(tmpdir(), 'hanse-caliper-'))
  const write = (name, content) => writeFileSync(join(folder, name), JSON.stringify(content))
  try {
    symlinkSync(join(here, 'node_modules'), join(folder, 'node_modules'))
    cpSync(join(here, 'workload.cjs'), join(folder, 'workload.cjs'))
    write('contract.json', { name: 'accounts', gas: 2_000_000, ...options.contract })
    write('network.json', {
      caliper: { blockchain: 'ethereum' },
      ethereum: {
        url: options.url,
        contractDeployerAddress: options.deployer.address,
        contractDeployerAddressPrivateKey: options.deployer.key,
        fromAddressSeed: options.seed,
        transactionConfirmationBlocks: 1,
        contracts: { accounts: { path: 'contract.json', estimateGas: true, gas: options.gas } },
      },
    })
    const rounds = options.rounds.map(({ arguments: args, ...round }) => ({
      ...round, workload: { module: './workload.cjs', arguments: args },
    }))
    write('benchmark.yaml', { test: { name: 'accounts', workers: { number: options.workers }, rounds } })
    const output = await launch(folder, options.timeout ?? 300_000)
    return { rounds: parseReport(readFileSync(join(folder, 'report.html'), 'utf8')), output }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

// Runs the manager, which starts the workers. Their open WebSockets keep all of them alive when they are done, so they
// are ended here, as a group.
function launch(folder, limit) {
  const program = join(here, 'node_modules/@hyperledger/caliper-cli/caliper.js')
  const child = spawn(
    process.execPath,
    [
      program, 'launch', 'manager', '--caliper-workspace', folder, '--caliper-benchconfig', 'benchmark.yaml',
      '--caliper-networkconfig', 'network.json', '--caliper-progress-reporting-interval', '1000',
    ],
    { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  )
  return new Promise((resolve, reject) => {
    let output = ''
    const done = () => output.includes('Generated report with path') && output.includes('Benchmark successfully finished')
    const end = () => {
      try {
        process.kill(-child.pid, 'SIGKILL')
      } catch {
        // it ended before
      }
    }
    const timer = setTimeout(end, limit)
    const take = (text) => {
      output += text
      if (done()) end()
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.on('error', reject)
    child.on('exit', end)
    child.on('close', () => {
      clearTimeout(timer)
      if (done()) resolve(output)
      else reject(new Error(`Caliper did not finish:\n${output}`))
    })
  })
}

// The rows of the report's summary table: Name, Succ, Fail, Send Rate (TPS), Max, Min and Avg Latency (s), Throughput (TPS).
function parseReport(html) {
  const summary = html.match(/<table[\s\S]*?<\/table>/)[0]
  const rows = [...summary.matchAll(/<tr>([\s\S]*?)<\/tr>/g)]
    .map(([, row]) => [...row.matchAll(/<td>([\s\S]*?)<\/td>/g)].map(([, cell]) => cell.trim()))
    .filter((cells) => cells.length > 0)
  return rows.map((cells) => ({
    name: cells[0], succeeded: Number(cells[1]), failed: Number(cells[2]), average: Number(cells[6]), rate: Number(cells[7]),
  }))
}
