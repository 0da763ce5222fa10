// Traces, step by step, in a form that can be compared: EIP-3155 lines of any program, steps of @ethereumjs/vm.

const tops = 6 // words of the stack that are compared

const hex = (value) =>
  typeof value === 'string' && value.startsWith('0x') ? value.slice(2) : BigInt(value).toString(16)
const trimmed = (text) => text.replace(/^0+(?=.)/, '').toLowerCase()

export function stepText(pc, code, gas, depth, stack, word) {
  let out = `pc ${pc} op ${code.toString(16)} gas ${gas} depth ${depth} stack ${stack.length}:`
  for (let i = 0; i < tops && i < stack.length; i++) out += ` ${word(stack[stack.length - 1 - i])}`
  return out
}

// One line of EIP-3155
function stepOf(line) {
  const words = line.stack ?? []
  const text = stepText(line.pc, Number(line.op), BigInt(line.gas), line.depth, words, (item) => trimmed(hex(item)))
  return { text, depth: line.depth }
}

function jsonOf(line) {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

// What a `statetest --json`-like program printed: a list of {steps, summary, root}, one for each case. `summary` is
// {output, gasUsed, error}; a program that prints no state root has one case only. `gasUsed` beside the state root is the
// transaction's; elsewhere programs disagree what it is.
export function readRuns(text) {
  const runs = []
  let run = { steps: [] }
  for (const line of text.split('\n')) {
    const json = jsonOf(line.trim())
    if (json === undefined) continue
    if (json.pc !== undefined) run.steps.push(stepOf(json))
    else if (json.stateRoot !== undefined) {
      runs.push({ ...run, root: json.stateRoot, gasUsed: json.gasUsed })
      run = { steps: [] }
    } else if (json.output !== undefined || json.gasUsed !== undefined) run.summary = json
  }
  if (run.steps.length > 0 || (runs.length === 0 && run.summary)) runs.push(run)
  return runs
}

// Programs disagree whether a step is shown that fails before it begins, or that is the end of the code: the last of a frame.
// When it should not have been the last, or should have been, the steps behind it say so, or the outcome.
const isLast = (steps, i) => i + 1 === steps.length || steps[i + 1].depth < steps[i].depth

// The first step in which two traces differ, in words; undefined when there is none.
export function difference(ours, theirs) {
  let [i, j] = [0, 0]
  while (i < ours.length || j < theirs.length) {
    if (i < ours.length && j < theirs.length && ours[i].text === theirs[j].text) {
      i++
      j++
    } else if (i < ours.length && isLast(ours, i)) i++
    else if (j < theirs.length && isLast(theirs, j)) j++
    else return `step ${i}: ours ${ours[i]?.text ?? 'none'}, theirs ${theirs[j]?.text ?? 'none'}`
  }
  return undefined
}
