// A Hanse node and an anvil with the same genesis, asked by JSON-RPC.
import { spawn, spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

const startLimit = 60000 // ms; the machine may be busy
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

// Asks again and again until the answer is true, and gives it.
export async function until(condition, what) {
  for (const end = Date.now() + startLimit; Date.now() < end; await pause(5)) {
    const answer = await condition()
    if (answer) return answer
  }
  throw new Error(`waited in vain: ${what}`)
}

class Server {
  // The program's address is in what it prints.
  async start(program, args, pattern) {
    this.output = ''
    this.process = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.ended = new Promise((resolve) => this.process.on('close', resolve))
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on('data', (text) => (this.output += text))
    const found = await until(() => pattern.exec(this.output) ?? this.process.exitCode !== null, `${program} starts`)
    if (found === true) throw new Error(`${program} ended: ${this.output}`)
    this.url = `http://127.0.0.1:${found[1]}`
    return this
  }

  async post(body) {
    const response = await fetch(this.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return response.json()
  }

  // requests: [method, ...params] each; the answers in this order, each {result} or {error}
  async batch(requests) {
    if (requests.length === 0) return []
    const answers = await this.post(requests.map(([method, ...params], id) => ({ jsonrpc: '2.0', id, method, params })))
    return answers.sort((a, b) => a.id - b.id)
  }

  async ask(...request) {
    const [answer] = await this.batch([request])
    if (answer.error) throw new Error(`${request[0]}: ${JSON.stringify(answer.error)}`)
    return answer.result
  }

  async stop() {
    this.process.kill('SIGTERM')
    await this.ended
  }
}

export async function startHanse(folder, genesis) {
  const file = join(folder, 'genesis.json')
  const data = join(folder, 'node')
  writeFileSync(file, JSON.stringify(genesis))
  const { status, stderr } = spawnSync(process.env.HANSE_BINARY, ['init', '--data', data, '--genesis', file])
  if (status !== 0) throw new Error(`hanse init: ${stderr}`)
  const options = [
    '--rpc-port',
    '0',
    '--udp-listen',
    'none',
    '--cores',
    '2',
    '--rpc-gas-cap',
    String(Number(genesis.gasLimit)),
    '--name',
    `hanse-differential-${process.pid}`,
  ]
  return new Server().start(process.env.HANSE_BINARY, ['node', '--data', data, ...options], /JSON-RPC +http:\S+:(\d+)/)
}

// Mines when it is told to, and what it is told to.
export async function startAnvil(folder, genesis) {
  const file = join(folder, 'anvil.json')
  writeFileSync(file, JSON.stringify(genesis))
  const program = createRequire(import.meta.url).resolve('@foundry-rs/anvil-linux-amd64/bin/anvil')
  const options = [
    '--port',
    '0',
    '--init',
    file,
    '--hardfork',
    'osaka',
    '--chain-id',
    '1',
    '--accounts',
    '1',
    '--balance',
    '1',
  ]
  const mining = ['--no-mining', '--order', 'fifo', '--disable-default-create2-deployer']
  const gas = ['--gas-limit', String(Number(genesis.gasLimit)), '--enable-tx-gas-limit']
  return new Server().start(program, [...options, ...mining, ...gas], /Listening on \S+:(\d+)/)
}
