// A page in Chromium that goes to a node with ethers, from another origin; and an extension that asks what MetaMask asks.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import puppeteer from 'puppeteer-core'
import { Wallet } from 'ethers'
import { Node, addresses, keys } from './node.js'
import { snippets } from './snippets.js'

const program = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
const bundle = join(dirname(createRequire(import.meta.url).resolve('ethers')), '../dist/ethers.umd.min.js')

// What MetaMask asks of a node for a network, an account, and a transfer; the transaction is signed here beforehand.
const worker = `
async function ask(url, ...calls) {
  const body = calls.map(([method, params], id) => ({ jsonrpc: '2.0', id, method, params: params ?? [] }))
  const response = await fetch(url, {
    method: 'POST', headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify(body.length === 1 ? body[0] : body),
  })
  return response.json()
}
async function wallet(url, from, to, contract, raw) {
  const answers = {}
  const take = async (...calls) => {
    const answer = await ask(url, ...calls)
    for (const [i, one] of [answer].flat().entries()) answers[calls[i][0]] = one
  }
  await take(['eth_chainId'])
  await take(['net_version'])
  await take(['eth_blockNumber'])
  await take(['eth_getBlockByNumber', ['latest', false]])
  await take(['eth_getBalance', [from, 'latest']], ['eth_getTransactionCount', [from, 'pending']], ['eth_getCode', [to, 'latest']])
  await take(['eth_gasPrice'])
  await take(['eth_feeHistory', ['0x5', 'latest', [10, 20, 30]]])
  await take(['eth_estimateGas', [{ from, to, value: '0x1' }]])
  await take(['eth_call', [{ to: contract, data: '0x' }, 'latest']], ['web3_clientVersion'])
  await take(['eth_sendRawTransaction', [raw]])
  await take(['eth_getTransactionReceipt', [answers.eth_sendRawTransaction.result]])
  return answers
}`

describe('a browser', { skip: program ? false : 'there is no Chromium' }, () => {
  let open, closed, browser, pages, scratch
  before(async () => {
    pages = createServer((request, response) => {
      const script = request.url === '/ethers.js'
      response.setHeader('content-type', script ? 'text/javascript' : 'text/html')
      response.end(script ? readFileSync(bundle) : '<!doctype html><title>a page</title><script src="/ethers.js"></script>')
    })
    await new Promise((resolve) => pages.listen(0, '127.0.0.1', resolve))
    pages.origin = `http://localhost:${pages.address().port}`
    open = await Node.start({ arguments: ['--rpc-cors', pages.origin] })
    closed = await Node.start({ arguments: ['--rpc-cors', 'https://another.example'] })
    scratch = mkdtempSync(join(tmpdir(), 'hanse-browser-'))
    const manifest = {
      manifest_version: 3, name: 'wallet', version: '1', background: { service_worker: 'worker.js' }, host_permissions: ['http://*/*'],
    }
    writeFileSync(join(scratch, 'manifest.json'), JSON.stringify(manifest))
    writeFileSync(join(scratch, 'worker.js'), worker)
    browser = await puppeteer.launch({
      executablePath: program, headless: true, pipe: true, enableExtensions: [scratch], userDataDir: join(scratch, 'profile'), timeout: 60000,
      protocolTimeout: 120000, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'],
    })
  })
  after(async () => {
    await browser?.close()
    pages?.close()
    if (scratch) rmSync(scratch, { recursive: true, force: true, maxRetries: 5 })
    await open?.stop()
    await closed?.stop()
  })

  async function page() {
    const made = await browser.newPage()
    await made.goto(pages.origin)
    return made
  }

  test('a page of an allowed origin: HTTP and WebSocket', async () => {
    const here = await page()
    const said = await here.evaluate(async (url, key, to) => {
      const provider = new ethers.JsonRpcProvider(url, undefined, { cacheTimeout: -1 })
      const socket = new ethers.WebSocketProvider(url.replace('http', 'ws'))
      const head = new Promise((resolve) => socket.on('block', resolve))
      await socket.getBlockNumber()
      const sent = await new ethers.Wallet(key, provider).sendTransaction({ to, value: 3n })
      const receipt = await sent.wait()
      return { block: receipt.blockNumber, head: await head, balance: String(await provider.getBalance(to)) }
    }, open.url, keys[0], addresses[1])
    assert.deepEqual(said, { block: 1, head: 1, balance: '10000000000000000000003' })
    const named = await here.evaluate(async (url) => {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] })
      const headers = { 'content-type': 'application/json', 'x-client-version': '1', authorization: 'Bearer none' }
      return (await (await fetch(url, { method: 'POST', headers, body })).json()).result
    }, open.url)
    assert.equal(named, '0x7a69', 'with headers of its own')
    await here.close()
  })

  test('a page of another origin is refused', async () => {
    const here = await page()
    const said = await here.evaluate(async (url) => {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] })
      const http = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body }).then(() => 'answered', (error) => error.name)
      const socket = new WebSocket(url.replace('http', 'ws'))
      return { http, socket: await new Promise((resolve) => ((socket.onopen = () => resolve('open')), (socket.onerror = () => resolve('refused')))) }
    }, closed.url)
    assert.deepEqual(said, { http: 'TypeError', socket: 'refused' })
    await here.close()
  })

  test('a page adds the network to a wallet', async () => {
    const here = await page()
    await here.evaluate(() => {
      window.ethereum = {
        async request({ method, params: [network] }) {
          if (method !== 'wallet_addEthereumChain') throw new Error(method)
          const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] })
          const response = await fetch(network.rpcUrls[0], { method: 'POST', headers: { 'content-type': 'application/json' }, body })
          const { result } = await response.json()
          if (result !== network.chainId) throw new Error(`chain ${result} instead of ${network.chainId}`)
          window.added = network.chainName
          return null
        },
      }
    })
    const snippet = snippets().get('add-network.js').replaceAll('127.0.0.1:8545', new URL(open.url).host)
    await here.evaluate(`(async () => { ${snippet} })()`)
    assert.equal(await here.evaluate(() => window.added), 'Hanse')
    await here.close()
  })

  test('an extension asks what MetaMask asks, of a node that names no origin of extensions', async () => {
    const target = await browser.waitForTarget((one) => one.type() === 'service_worker' && one.url().startsWith('chrome-extension://'), { timeout: 60000 })
    const background = await target.worker()
    const raw = await new Wallet(keys[1]).signTransaction({
      chainId: 31337, type: 2, nonce: 0, to: addresses[2], value: 1n, gasLimit: 21000n, maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 1n,
    })
    const answers = await background.evaluate((...args) => wallet(...args), closed.url, addresses[1], addresses[2], addresses[3], raw)
    for (const [method, answer] of Object.entries(answers)) assert.equal(answer.error, undefined, `${method}: ${JSON.stringify(answer)}`)
    assert.equal(answers.eth_chainId.result, '0x7a69')
    assert.equal(answers.net_version.result, '31337')
    assert.equal(answers.eth_getTransactionCount.result, '0x0')
    assert.equal(answers.eth_getCode.result, '0x')
    assert.equal(answers.eth_estimateGas.result, '0x5208')
    assert.equal(answers.eth_feeHistory.result.baseFeePerGas.length >= 2, true)
    assert.equal(answers.eth_getTransactionReceipt.result.status, '0x1')
  })
})
