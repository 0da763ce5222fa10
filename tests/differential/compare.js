// Outcomes side by side: what differs, in words, or undefined.
import { normalize } from './anvil_blocks.js'
import { transition } from './hanse.js'
import { difference } from './trace.js'

const hex = (text) => (text ?? '').replace(/^0x/, '')

// run: what trace.js read of ours; outcome: the other's {rejected, gasUsed, isSuccess, output, steps}, whatever it knows.
export function compareOutcomes(run, outcome) {
  const { output, gasUsed, error } = run.summary
  if (outcome.rejected !== undefined) return undefined // the state root says it
  if (outcome.isSuccess !== (error === undefined))
    return `status ${outcome.isSuccess ? 'success' : 'failure'} expected, got ${error ?? 'success'}`
  if (BigInt(gasUsed) !== outcome.gasUsed) return `gas ${outcome.gasUsed} expected, got ${BigInt(gasUsed)}`
  if (outcome.output !== undefined && hex(output) !== hex(outcome.output))
    return `return data ${outcome.output} expected, got ${output}`
  return outcome.steps === undefined ? undefined : difference(run.steps, outcome.steps)
}

function compareAccounts(ours, theirs) {
  for (const address of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
    const [got, expected] = [ours[address], theirs[address]].map((account) => JSON.stringify(account ?? null))
    if (got !== expected) return `account ${address}: ${expected} expected, got ${got}`
  }
  return undefined
}

// {fork (its name), input (of t8n), header, accounts}: what anvil_blocks.js made
export function compareBlock({ fork, input, header, accounts }) {
  const { alloc, result } = transition(fork, input)
  if (result.rejected?.length) return `rejected: ${JSON.stringify(result.rejected)}`
  for (const [theirs, ours] of [
    ['transactionsRoot', 'txRoot'],
    ['receiptsRoot', 'receiptsRoot'],
    ['logsBloom', 'logsBloom'],
    ['gasUsed', 'gasUsed'],
  ]) {
    const isNumber = theirs === 'gasUsed'
    if (isNumber ? BigInt(header[theirs]) !== BigInt(result[ours]) : header[theirs] !== result[ours])
      return `${theirs} ${header[theirs]} expected, got ${result[ours]}`
  }
  return compareAccounts(normalize(alloc), accounts)
}
