// The program under test.
import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { readRuns } from './trace.js'

const binary = process.env.HANSE_BINARY

// Runs a file of tests; {passed, failed, lines}. Anything but totals at the end is no answer.
export function runFile(command, file, options = []) {
  const { stdout, status } = spawnSync(binary, ['evm', command, ...options, file], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const lines = (stdout ?? '').trim().split('\n')
  const counts = /^(\d+) passed, (\d+) failed, \d+ skipped$/.exec(lines.pop() ?? '')
  if (!counts || (status !== 0) !== (counts[2] !== '0'))
    throw new Error(`hanse evm ${command} ${file} ended with ${status}`)
  return { passed: Number(counts[1]), failed: Number(counts[2]), lines }
}

// The traces of a file of state tests, in the file's order.
export function traceFile(file) {
  const path = `${file}.trace`
  const output = openSync(path, 'w')
  const { status } = spawnSync(binary, ['evm', 'statetest', '--json', file], { stdio: ['ignore', 'ignore', output] })
  closeSync(output)
  if (status !== 0 && status !== 1) throw new Error(`hanse evm statetest --json ${file} ended with ${status}`)
  const runs = readRuns(readFileSync(path, 'utf8'))
  rmSync(path)
  return runs
}

// One state transition: {alloc, result}
export function transition(fork, input) {
  const { stdout, stderr, status } = spawnSync(
    binary,
    [
      ...['evm', 't8n', '--input.alloc', 'stdin', '--input.env', 'stdin', '--input.txs', 'stdin'],
      ...['--output.alloc', 'stdout', '--output.result', 'stdout', '--state.fork', fork, '--state.reward', '-1'],
    ],
    { encoding: 'utf8', maxBuffer: 1 << 28, input: JSON.stringify(input) },
  )
  if (status !== 0) throw new Error(`hanse evm t8n ended with ${status}: ${stderr}`)
  return JSON.parse(stdout)
}
