// Starts a hanse node for a test file and stops it behind it.
import { spawn, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const binary = process.env.HANSE_BINARY

// The development ledger's accounts; publicly known.
export const keys = [
  '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
  '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d',
  '0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a',
  '0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6',
  '0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a',
]
export const addresses = [
  '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266',
  '0x70997970C51812dc3A010C7d01b50e0d17dc79C8',
  '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC',
  '0x90F79bf6EB2c4f870365E785982E1f101E93b906',
  '0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65',
]

// How long a node may take to come up, in ms: replaying a log on a loaded machine takes its time.
const startLimit = 60_000

// A port for a node that is to be found again after a restart; below those that the kernel gives away.
export const port = 21_000 + (process.pid % 11_000)

// Asks again and again until the answer is true, and gives it.
export async function until(condition, what) {
  for (const end = Date.now() + 30_000; Date.now() < end; await sleep(10)) {
    const answer = await condition()
    if (answer) return answer
  }
  throw new Error(`waited in vain: ${what}`)
}

export class Node {
  constructor(data) {
    this.data = data
  }

  // options: genesis (an object: its ledger instead of --dev), arguments (more of the command line)
  static async start(options = {}) {
    const node = new Node(mkdtempSync(join(tmpdir(), 'hanse-client-')))
    node.options = options
    if (options.genesis) {
      const file = join(node.data, 'genesis.json')
      writeFileSync(file, JSON.stringify(options.genesis))
      execFileSync(binary, ['init', '--data', join(node.data, 'node'), '--genesis', file])
    }
    await node.launch()
    return node
  }

  async launch() {
    const which = this.options.genesis ? [] : ['--dev']
    this.output = ''
    this.process = spawn(binary, [
      'node', ...which, '--data', join(this.data, 'node'), '--rpc-port', '0',
      '--udp-listen', '127.0.0.1:0', ...(this.options.arguments ?? []),
    ])
    this.exited = new Promise((resolve) => this.process.on('exit', (code, signal) => resolve({ code, signal })))
    this.url = await this.announced(/JSON-RPC +(http:\S+)/)
  }

  // What the node prints once it is up.
  announced(pattern) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => give('does not come up'), startLimit)
      const give = (what) => {
        clearTimeout(timer)
        reject(new Error(`the node ${what}:\n${this.output}`))
      }
      this.process.on('error', (error) => give(`cannot be started (${error.message})`))
      this.process.on('exit', () => give('ended'))
      for (const stream of [this.process.stdout, this.process.stderr])
        stream.on('data', (text) => {
          this.output += text
          const found = this.output.match(pattern)
          if (!found) return
          clearTimeout(timer)
          resolve(found[1])
        })
    })
  }

  async end(signal) {
    this.process.kill(signal)
    return this.exited
  }

  async stop() {
    const result = await this.end('SIGTERM')
    rmSync(this.data, { recursive: true, force: true })
    if (result.code !== 0) throw new Error(`the node ended with ${JSON.stringify(result)}:\n${this.output}`)
  }

  // One call, or a batch when given an array of [method, params]; the bare response.
  async rpc(method, params = [], path = '/') {
    const one = ([name, list], id) => ({ jsonrpc: '2.0', id, method: name, params: list })
    const body = Array.isArray(method) ? method.map(one) : one([method, params], 1)
    const response = await fetch(this.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return response.json()
  }

  async ask(method, params) {
    const answer = await this.rpc(method, params)
    if (answer.error) throw new Error(`${method}: ${JSON.stringify(answer.error)}`)
    return answer.result
  }
}
