// Where anvil is known to answer something else than geth, whose answers ours are. A rule has a name, its reason, the methods
// that it is about, and a function that takes both answers ({result} or {error: code, data, message}) and the request: it
// changes them until nothing of the known difference is left, and says true when it was there.
import { isDeepStrictEqual } from 'node:util'
import { helpers } from './rpc_world.js'

const settle = (ours, theirs) => {
  for (const one of [ours, theirs]) {
    for (const name of Object.keys(one)) delete one[name]
    one.result = 'known'
  }
  return true
}

const drop = (object, names) => {
  let isThere = false
  if (object === null || typeof object !== 'object') return false
  for (const name of names)
    if (object[name] !== undefined) {
      delete object[name]
      isThere = true
    }
  return isThere
}

const count = (list) => list.filter(Boolean).length > 0

// Ours refuses in such words what theirs looks at no further, whatever comes of it.
const unchecked = (words) => (ours, theirs) =>
  ours.error !== undefined && words.test(ours.message) && settle(ours, theirs)

// Theirs takes what ours refuses in such words.
const lenient = (words) => (ours, theirs) =>
  ours.error !== undefined && theirs.error === undefined && words.test(ours.message) && settle(ours, theirs)

const frames = (frame) => [frame, ...(frame.calls ?? []).flatMap(frames)]
const isFrame = ({ result }) => /CALL|CREATE/.test(result?.type)
const hasTracer = (name, request) => request.some((one) => one?.tracer === name)

function wordsOfFrames(ours, theirs) {
  if (!isFrame(ours) || !isFrame(theirs)) return false
  const [own, foreign] = [ours.result, theirs.result].map(frames)
  own.forEach((frame, i) => {
    if (frame.error !== 'nonce uint64 overflow') return
    delete frame.error // theirs has not even an error
    delete foreign[i]?.to
  })
  const all = [...own, ...foreign].filter(({ error }) => error !== undefined)
  for (const frame of all) frame.error = 'an error'
  return all.length > 0
}

function firstFrame(ours, theirs) {
  if (!isFrame(ours) || !isFrame(theirs)) return false
  return count([drop(ours.result, ['gas', 'gasUsed']), drop(theirs.result, ['gas', 'gasUsed'])])
}

function indexesOfLogs(ours, theirs) {
  if (!isFrame(ours) || !isFrame(theirs)) return false
  const logs = [ours.result, theirs.result].flatMap(frames).flatMap((frame) => frame.logs ?? [])
  return count(logs.map((log) => drop(log, ['index'])))
}

const callsBelow = (_, theirs, request) =>
  request.some((one) => one?.tracerConfig?.onlyTopCall) && drop(theirs.result, ['calls'])

// Of frames that failed themselves, or below one that did.
function failedLogs(frame, hasFailed = false) {
  const fails = hasFailed || frame.error !== undefined
  const own = fails && drop(frame, ['logs'])
  return count([own, ...(frame.calls ?? []).map((one) => failedLogs(one, fails))])
}

function prestate(accounts) {
  let isThere = false
  for (const [address, account] of Object.entries(accounts)) {
    isThere = drop(account, ['codeHash']) || isThere
    const isSomething = account.code !== undefined || account.nonce !== undefined
    if (isSomething || !['0x0', undefined].includes(account.balance)) continue
    delete accounts[address]
    isThere = true
  }
  return isThere
}

// Slots that only one of them has.
function slotsOfOne(accounts, others) {
  let isThere = false
  for (const [address, account] of Object.entries(accounts)) {
    const slots = Object.keys(account.storage ?? {})
    for (const slot of slots)
      if (others[address]?.storage?.[slot] === undefined) isThere = drop(account.storage, [slot])
  }
  return isThere
}

const withoutEmptyStorage = (accounts) => {
  for (const account of Object.values(accounts))
    if (Object.keys(account.storage ?? {}).length === 0) delete account.storage
}

function prestates(ours, theirs, request) {
  if (!hasTracer('prestateTracer', request) || ours.error || theirs.error) return false
  const maps = [ours, theirs].flatMap(({ result }) => (result.pre ? [result.pre, result.post] : [result]))
  const changed = maps.map(prestate)
  if (!ours.result.pre) changed.push(slotsOfOne(ours.result, theirs.result), slotsOfOne(theirs.result, ours.result))
  for (const address of Object.keys(ours.result))
    if (!ours.result.pre && !theirs.result[address]) changed.push(drop(ours.result, [address]))
  maps.forEach(withoutEmptyStorage)
  return count(changed)
}

function orderOfAccessLists(ours, theirs) {
  if (!ours.result?.accessList || !theirs.result?.accessList) return false
  for (const { result } of [ours, theirs]) {
    for (const { storageKeys } of result.accessList) storageKeys.sort()
    result.accessList.sort((a, b) => (a.address < b.address ? -1 : 1))
  }
  return true
}

// Ours counts no calls of precompiled contracts, as geth's tracer does not.
function selectors(ours, theirs, request) {
  if (!hasTracer('4byteTracer', request) || ours.error || theirs.error) return false
  const isSmaller = Object.entries(ours.result).every(([name, times]) => times <= (theirs.result[name] ?? 0))
  return isSmaller && settle(ours, theirs)
}

function structLogs(ours, theirs) {
  const lists = [ours, theirs].map(({ result }) => result?.structLogs)
  if (!lists.every(Array.isArray)) return false
  for (const list of lists)
    for (const step of list) {
      drop(step, ['refund', 'error', 'returnData', 'storage'])
      if (step.memory?.length === 0) delete step.memory
      if (/CALL|CREATE/.test(step.op)) delete step.gasCost
    }
  const [own, all] = lists
  let next = 0
  const foreign = all.filter(({ op, pc, depth }) => {
    const isEmpty = op === 'STOP' && pc === 0 && depth !== own[next]?.depth // code of no bytes
    if (!isEmpty) next++
    return !isEmpty
  })
  theirs.result.structLogs = foreign
  own.forEach((step, i) => {
    const isLast = own[i + 1]?.depth !== step.depth // of its frame: it may have failed, and cost what was left or nothing
    if (isLast) drop(step, ['gasCost'])
    if (isLast && foreign[i]) drop(foreign[i], ['gasCost'])
  })
  for (const { result } of [ours, theirs]) drop(result, ['gas', 'returnValue'])
  return true
}

function shorterLogs(ours, theirs, [, filter]) {
  const least = filter?.topics?.length ?? 0
  if (!Array.isArray(theirs.result)) return false
  const fit = theirs.result.filter(({ topics }) => topics === undefined || topics.length >= least)
  const isThere = fit.length !== theirs.result.length
  theirs.result = fit
  return isThere
}

function blocks(ours, theirs) {
  if (!ours.result?.stateRoot || !theirs.result?.stateRoot) return false
  const names = ['stateRoot', 'size', 'mixHash', 'totalDifficulty']
  return count([ours, theirs].map(({ result }) => drop(result, names)))
}

function receipts(_, { result }) {
  return count([result].flat().map((one) => drop(one, ['blobGasPrice', 'blockTimestamp'])))
}

function fees(ours, theirs, [, blockCount]) {
  if (ours.error || theirs.error) return false
  if (blockCount === '0x0') return settle(ours, theirs)
  for (const { result } of [ours, theirs]) result.baseFeePerGas?.pop()
  if (theirs.result.reward?.length === 0) delete theirs.result.reward
  return true
}

// geth ends its search when it is within 1.5 % (its estimateGasErrorRatio), and so does ours; anvil has another end.
// Programs that look at their gas have no least gas that could be searched for: there it must only be enough.
function estimates(ours, theirs, [, { to }]) {
  if (ours.error !== undefined || theirs.error !== undefined) return false
  const [own, foreign] = [ours.result, theirs.result].map(Number)
  const isNear = Math.abs(own - foreign) <= 0.02 * Math.max(own, foreign)
  return (isNear || !helpers.includes(to)) && theirs.isEnough && settle(ours, theirs)
}

const calls = ['eth_call', 'eth_estimateGas', 'eth_createAccessList', 'debug_traceCall']
const traces = ['debug_traceTransaction', 'debug_traceCall']

export const rules = [
  [
    'ids of filters',
    'they are random',
    ['eth_newFilter', 'eth_newBlockFilter'],
    (ours, theirs) => typeof ours.result === 'string' && typeof theirs.result === 'string' && settle(ours, theirs),
  ],
  ['hex without 0x', 'anvil reads numbers and bytes without it', null, lenient(/without 0x prefix/)],
  ['percentiles', 'anvil does not check them', ['eth_feeHistory'], lenient(/reward percentile/)],
  [
    'unknown transaction traced',
    'anvil answers with an empty trace',
    ['debug_traceTransaction'],
    lenient(/transaction not found/),
  ],
  ['ranges that end before they begin', 'anvil finds nothing in them', ['eth_getLogs'], lenient(/block range/)],
  [
    'gas of the data',
    "anvil's pool asks for 21000 alone",
    ['eth_sendRawTransaction'],
    lenient(/intrinsic gas|floor data gas/),
  ],
  ['bytes behind a transaction', 'anvil does not look at them', ['eth_sendRawTransaction'], lenient(/rlp/)],
  ['fees below the base fee', 'anvil lets calls have them', calls, unchecked(/less than block base fee/)],
  [
    'uncles and counts of unknown blocks',
    'geth answers null, anvil with an error',
    null,
    (ours, theirs) => ours.result === null && theirs.error !== undefined && settle(ours, theirs),
  ],
  [
    'access lists of calls that fail',
    'geth answers with the list and says why; anvil with an error',
    ['eth_createAccessList'],
    (ours, theirs) => ours.result?.error !== undefined && theirs.error !== undefined && settle(ours, theirs),
  ],
  ['estimates', 'both stop searching somewhere near the least gas', ['eth_estimateGas'], estimates],
  [
    'logs with fewer topics',
    'geth wants as many topics as the filter has places, nulls too; anvil none for nulls',
    ['eth_getLogs', 'eth_getFilterChanges'],
    shorterLogs,
  ],
  [
    'blocks',
    "anvil's state root counts empty accounts and misses system contracts; it chooses mixHash, and adds totalDifficulty",
    ['eth_getBlockByNumber', 'eth_getBlockByHash'],
    blocks,
  ],
  [
    'receipts',
    'anvil adds blobGasPrice to all and blockTimestamp',
    ['eth_getTransactionReceipt', 'eth_getBlockReceipts'],
    receipts,
  ],
  [
    'fee histories',
    "anvil does not work out the next block's base fee, has an empty list where no rewards were asked for, and takes no blocks for one",
    ['eth_feeHistory'],
    fees,
  ],
  ['funds for access lists', 'anvil does not look at them', ['eth_createAccessList'], unchecked(/insufficient funds/)],
  [
    'funds for a transfer',
    'anvil does not look at them in estimates',
    ['eth_estimateGas'],
    lenient(/insufficient funds/),
  ],
  ['order of access lists', 'it has no meaning', ['eth_createAccessList'], orderOfAccessLists],
  ['fee histories that begin in the future', 'anvil has empty ones', ['eth_feeHistory'], lenient(/beyond head block/)],
  [
    'estimates bounded by funds',
    'geth looks for what the sender can pay for, anvil tries the most gas first',
    ['eth_estimateGas'],
    (ours, theirs, [, call]) =>
      (call.gasPrice ?? call.maxFeePerGas) !== undefined &&
      /Insufficient funds/.test(theirs.message) &&
      settle(ours, theirs),
  ],
  [
    'logs of frames that failed',
    'geth leaves them out',
    traces,
    (ours, theirs) => isFrame(theirs) && failedLogs(theirs.result),
  ],
  ["indexes of a trace's logs", "geth counts the block's logs, anvil the transaction's", traces, indexesOfLogs],
  ['calls below the first', 'with onlyTopCall anvil lists some of those that come to nothing', traces, callsBelow],
  ['words in traces', 'revm has its own for failures', traces, wordsOfFrames],
  ["gas of a trace's first frame", 'anvil leaves out what is paid before the first instruction', traces, firstFrame],
  [
    'prestates',
    'anvil has no codeHash, lists touched accounts that do not exist, and does not list who authorizes; it has slots of access lists and of instructions without enough gas, geth those of instructions that fail otherwise',
    traces,
    prestates,
  ],
  ['precompiled contracts among selectors', 'anvil counts calls of them', traces, selectors],
  [
    'steps',
    'geth leaves out zero refunds, empty return data, and the end of code of no bytes; gas of instructions that fail or call is told differently',
    ['debug_traceCall'],
    structLogs,
  ],
]

// Errors are compared by code, data and kind: in which of these words they speak, where both do.
const kinds = [
  /nonce too low/i,
  /insufficient funds/i,
  /intrinsic gas/i,
  /execution reverted/i,
  /already known/i,
  /underpriced/i,
]

function shape({ error, result, isEnough }) {
  if (error === undefined) return isEnough === undefined ? { result } : { result, isEnough }
  return { error: error.code, data: error.data, message: error.message }
}

// geth has -32000 for everything that is not about parameters; anvil has codes of EIP-1474 and its own.
function compareErrors(ours, theirs) {
  const [own, foreign] = [ours, theirs].map(({ message }) => kinds.findIndex((kind) => kind.test(message)))
  const isSameKind = own === foreign || own < 0 || foreign < 0
  if (ours.error === -32000 && [-32001, -32003, -32602, -32603].includes(theirs.error)) theirs.error = -32000
  for (const one of [ours, theirs]) delete one.message
  if (!isSameKind) ours.kind = kinds[own].source
  return true
}

// Both answers, without what is known; `seen` counts by name.
export function forgive(request, ours, theirs, seen) {
  const pair = [structuredClone(shape(ours)), structuredClone(shape(theirs))]
  for (const [name, , methods, rule] of rules)
    if (pair[1].result !== 'known' && (methods === null || methods.includes(request[0])) && rule(...pair, request))
      seen[name] = (seen[name] ?? 0) + 1
  if (pair[0].error !== undefined && pair[1].error !== undefined) compareErrors(...pair)
  return pair
}

const address = `0x${'11'.repeat(20)}`
const log = { address, topics: [], data: '0x' }
const frame = { type: 'CALL', from: address, gas: '0x1', gasUsed: '0x1', input: '0x' }

// [request, ours, theirs] that must never be taken for the same
const different = [
  [['eth_getBalance'], { result: '0x1' }, { result: '0x2' }],
  [['eth_getBalance'], { result: '0x1' }, { error: { code: -32602, message: 'bad' } }],
  [['eth_call', {}], { result: '0x' }, { error: { code: -32603, message: 'EVM error InvalidFEOpcode' } }],
  [
    ['eth_call', {}],
    { error: { code: 3, message: 'execution reverted', data: '0x12' } },
    { error: { code: 3, message: 'execution reverted', data: '0x' } },
  ],
  [
    ['eth_call', {}],
    { error: { code: -32602, message: 'x' } },
    { error: { code: 3, message: 'execution reverted', data: '0x' } },
  ],
  [['eth_estimateGas', { to: helpers[0] }], { result: '0x5208' }, { result: '0x6208', isEnough: true }],
  [['eth_estimateGas', {}], { result: '0x5208' }, { result: '0x5209', isEnough: false }],
  [
    ['eth_sendRawTransaction', '0x'],
    { error: { code: -32000, message: 'nonce too low' } },
    { error: { code: -32003, message: 'insufficient funds' } },
  ],
  [['eth_sendRawTransaction', '0x'], { error: { code: -32000, message: 'insufficient funds' } }, { result: '0x12' }],
  [['eth_getTransactionReceipt', '0x'], { result: { gasUsed: '0x1' } }, { result: { gasUsed: '0x2' } }],
  [
    ['eth_getBlockByNumber', '0x1'],
    { result: { stateRoot: '0x1', gasUsed: '0x1' } },
    { result: { stateRoot: '0x2', gasUsed: '0x2' } },
  ],
  [['eth_getLogs', { topics: [] }], { result: [] }, { result: [log] }],
  [['eth_getLogs', { topics: [null] }], { result: [log] }, { result: [log] }],
  [
    ['debug_traceTransaction', '0x', {}],
    { result: { ...frame, output: '0x1' } },
    { result: { ...frame, output: '0x2' } },
  ],
  [['debug_traceTransaction', '0x', {}], { result: { ...frame, calls: [frame] } }, { result: frame }],
  [['debug_traceTransaction', '0x', {}], { result: { ...frame, logs: [log] } }, { result: frame }],
  [['debug_traceTransaction', '0x', {}], { result: { ...frame, error: 'out of gas' } }, { result: frame }],
  [
    ['debug_traceTransaction', '0x', { tracer: 'prestateTracer' }],
    { result: { [address]: { balance: '0x1' } } },
    { result: { [address]: { balance: '0x2' } } },
  ],
  [
    ['debug_traceTransaction', '0x', { tracer: '4byteTracer' }],
    { result: { '0x12345678-0': 2 } },
    { result: { '0x12345678-0': 1 } },
  ],
  [
    ['debug_traceCall', {}],
    { result: { structLogs: [{ op: 'ADD', stack: ['0x1'] }] } },
    { result: { structLogs: [{ op: 'ADD', stack: ['0x2'] }] } },
  ],
  [
    ['eth_feeHistory', '0x1'],
    { result: { baseFeePerGas: ['0x1', '0x1'] } },
    { result: { baseFeePerGas: ['0x2', '0x1'] } },
  ],
]

// Rules that forgive too much would compare nothing.
export function checkTheRules() {
  for (const [request, ours, theirs] of different)
    if (isDeepStrictEqual(...forgive(request, ours, theirs, {})))
      throw new Error(`a difference was not found: ${JSON.stringify([request, ours, theirs])}`)
}
