// One state test in any program that runs it like `evm statetest --json FILE`.
import { spawnSync } from 'node:child_process'
import { runFile, traceFile } from './hanse.js'
import { difference, readRuns } from './trace.js'

export const compared = { steps: 0 }

// undefined, or what differs. Both programs check the test's state root and logs, which a third implementation gave; roots,
// gas and traces are compared directly as far as the program prints them.
export function runExternal(command, own, foreign, outcome) {
  const [program, ...options] = command.split(' ').filter((part) => part !== '')
  const { stdout, stderr, status, error } = spawnSync(program, [...options, foreign], {
    encoding: 'utf8',
    maxBuffer: 1 << 29,
  })
  if (error) throw error
  const ours = runFile('statetest', own, ['--interpreter', 'both'])
  if (ours.failed !== 0) return `ours: ${ours.lines.join(' ')}`
  const [theirs] = readRuns(stderr).concat(readRuns(stdout))
  const [run] = traceFile(own)
  if (theirs?.root !== undefined && theirs.root !== run.root)
    return `state root ${theirs.root} expected, got ${run.root}`
  // geth's answer is a list in which "pass" says it; others exit with an error
  if (status !== 0 || /"pass": *false/.test(stdout))
    return `theirs ended with ${status}: ${(stdout + stderr).trim().split('\n').slice(-12).join('\n')}`
  if (outcome.rejected !== undefined || theirs === undefined) return undefined
  if (theirs.gasUsed !== undefined && BigInt(theirs.gasUsed) !== BigInt(run.summary.gasUsed))
    return `gas ${BigInt(theirs.gasUsed)} expected, got ${BigInt(run.summary.gasUsed)}`
  compared.steps += theirs.steps.length
  return theirs.steps.length === 0 ? undefined : difference(run.steps, theirs.steps)
}
