// web3.js in its two living versions, whose faces differ in little things: numbers are strings in 1.x, BigInts in 4.x.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, describe, test } from 'node:test'
import { Web3 as Web3Four } from 'web3'
import Web3One from 'web3-1'
import { compile } from './compile.js'
import { Node, addresses, keys, port, until } from './node.js'

const sample = compile('Sample')
const signature = 'Stored(address,uint256,uint256)'

async function failure(promise) {
  try {
    await promise
  } catch (error) {
    return error
  }
  assert.fail('it did not fail')
}

// Each cause of an error has something to say; which level of them says it differs.
function everything(error) {
  const said = []
  for (let one = error; one; one = one.cause ?? one.innerError) said.push(one.message, one.reason)
  return said.join('\n')
}

const versions = [
  {
    name: 'web3.js 4',
    Web3: Web3Four,
    socket: (url) => new Web3Four.providers.WebsocketProvider(url, {}, { autoReconnect: true, delay: 200, maxAttempts: 500 }),
    subscribe: (web3, ...what) => web3.eth.subscribe(...what),
    batch: (web3, calls) => {
      const batch = new web3.BatchRequest()
      const answers = calls.map(([method, params], i) => batch.add({ jsonrpc: '2.0', id: i + 1, method, params }))
      return batch.execute().then(() => Promise.all(answers))
    },
  },
  {
    name: 'web3.js 1',
    Web3: Web3One,
    socket: (url) => new Web3One.providers.WebsocketProvider(url, { reconnect: { auto: true, delay: 200, maxAttempts: 500 } }),
    // Its promise of a subscription is the subscription itself, with an event when the node has answered.
    subscribe: (web3, ...what) => {
      const subscription = web3.eth.subscribe(...what)
      return new Promise((resolve, reject) =>
        subscription.once('connected', () => resolve(subscription)).once('error', reject))
    },
    batch: (web3, calls) => {
      const batch = new web3.BatchRequest()
      const answers = calls.map(([method, params]) => new Promise((resolve, reject) => {
        const [, name] = method.split('_')
        const done = (error, answer) => (error ? reject(error) : resolve(answer))
        batch.add(web3.eth[name].request(...params, done))
      }))
      batch.execute()
      return Promise.all(answers)
    },
  },
]

for (const { name, Web3, socket, subscribe, batch } of versions)
  describe(name, () => {
    let node, web3, wallet, account, contract, from
    before(async () => {
      node = await Node.start({ arguments: ['--rpc-port', String(port)] })
      web3 = new Web3(node.url)
      account = web3.eth.accounts.privateKeyToAccount(keys[0])
      web3.eth.accounts.wallet.add(account)
      from = account.address
    })
    after(() => node?.stop())

    test('network and blocks', async () => {
      assert.equal(Number(await web3.eth.getChainId()), 31337)
      assert.equal(Number(await web3.eth.net.getId()), 31337)
      assert.match(await web3.eth.getNodeInfo(), /^Hanse\//)
      assert.equal(await web3.eth.isSyncing(), false)
      assert.equal(await web3.eth.net.isListening(), true)
      assert.equal(Number(await web3.eth.net.getPeerCount()), 0)
      assert.equal(String(await web3.eth.getBalance(addresses[1])), web3.utils.toWei('10000', 'ether'))
      assert.equal(Number(await web3.eth.getBlockNumber()), 0)
      assert.equal(Number((await web3.eth.getBlock('latest')).number), 0)
      assert.deepEqual(await web3.eth.getAccounts(), [])
    })

    test('accounts: made, signing, recovered', async () => {
      const made = web3.eth.accounts.create()
      const { signature } = made.sign('hello')
      assert.equal(web3.eth.accounts.recover('hello', signature), made.address)
      const signed = await account.signTransaction({
        to: made.address, value: '7', gas: 21000, gasPrice: '10000000000', nonce: 0, chainId: 31337,
      })
      assert.equal(web3.eth.accounts.recoverTransaction(signed.rawTransaction), from)
      const receipt = await web3.eth.sendSignedTransaction(signed.rawTransaction)
      assert.equal(receipt.transactionHash, signed.transactionHash)
      assert.equal(String(await web3.eth.getBalance(made.address)), '7')
    })

    test('transfers: legacy, EIP-2930 and EIP-1559', async () => {
      const to = web3.eth.accounts.create().address
      const gasPrice = String(BigInt(await web3.eth.getGasPrice()) * 2n)
      const accessList = [{ address: to, storageKeys: ['0x' + '00'.repeat(32)] }]
      const fees = { maxFeePerGas: gasPrice, maxPriorityFeePerGas: '1000' }
      for (const [type, more] of [[0, { gasPrice }], [1, { gasPrice, accessList }], [2, fees], [2, { ...fees, accessList }]]) {
        const receipt = await web3.eth.sendTransaction({ from, to, value: '1', gas: 30000, type: '0x' + type, ...more })
        assert.equal(Number(receipt.status), 1)
        const found = await web3.eth.getTransaction(receipt.transactionHash)
        assert.equal(Number(found.type), type)
        assert.equal(found.accessList?.length ?? 0, more.accessList ? 1 : 0)
        assert.equal(String(found.value), '1')
      }
      assert.equal(String(await web3.eth.getBalance(to)), '4')
      assert.equal(Number(await web3.eth.getTransactionCount(from)), 5)
    })

    test('a contract: deploy, send, call, storage', async () => {
      contract = await new web3.eth.Contract(sample.abi).deploy({ data: sample.bytecode, arguments: ['42'] })
        .send({ from, gas: '3000000', value: '5' })
      const address = contract.options.address
      assert.equal(String(await contract.methods.total().call()), '42')
      assert.equal(String(await web3.eth.getBalance(address)), '5')
      const gas = Number(await contract.methods.store(1, 2).estimateGas({ from }))
      const receipt = await contract.methods.store(1, 2).send({ from, gas: String(gas) })
      assert.equal(Number(receipt.gasUsed) <= gas, true)
      assert.equal(String(receipt.events.Stored.returnValues.value), '2')
      assert.equal(String(await contract.methods.values(1).call()), '2')
      assert.equal(BigInt(await web3.eth.getStorageAt(address, 1)), 43n)
      assert.equal(String(await contract.methods.total().call({}, Number(receipt.blockNumber) - 1)), '42')
      assert.ok((await web3.eth.getCode(address)).length > 2)
      const proof = await web3.eth.getProof(address, ['0x' + '1'.padStart(64, '0')], 'latest')
      assert.equal(BigInt(proof.storageProof[0].value), 43n)
    })

    test('past events and logs', async () => {
      const receipt = await contract.methods.storeMany(5).send({ from, gas: '1000000' })
      const block = Number(receipt.blockNumber)
      assert.equal((await web3.eth.getTransactionReceipt(receipt.transactionHash)).logs.length, 6)
      const events = await contract.getPastEvents('Stored', { filter: { key: [3, 4] }, fromBlock: block, toBlock: 'latest' })
      assert.deepEqual(events.map((event) => String(event.returnValues.value)), ['4', '5'])
      assert.equal((await contract.getPastEvents('Plain', { fromBlock: 0 }))[0].returnValues.text, 'done')
      const logs = await web3.eth.getPastLogs({
        address: contract.options.address, fromBlock: '0x0', topics: [web3.utils.sha3(signature)],
      })
      assert.equal(logs.length, 6)
      assert.equal(logs.at(-1).transactionHash, receipt.transactionHash)
    })

    test('events over HTTP: a filter that is asked again and again', async () => {
      const request = async (method, ...params) => (await node.ask(method, params))
      const filter = await request('eth_newFilter', { address: contract.options.address })
      const receipt = await contract.methods.store(8, 9).send({ from, gas: '200000' })
      const changes = await until(async () => {
        const found = await request('eth_getFilterChanges', filter)
        return found.length > 0 && found
      }, 'the log')
      const inputs = sample.abi.find((one) => one.name === 'Stored').inputs
      const [log] = changes
      assert.equal(log.transactionHash, receipt.transactionHash)
      assert.equal(String(web3.eth.abi.decodeLog(inputs, log.data, log.topics.slice(1)).value), '9')
    })

    test('reasons of reverts', async () => {
      assert.match(everything(await failure(contract.methods.failWithReason().call())), /this is the reason/)
      assert.match(everything(await failure(contract.methods.failWithReason().estimateGas({ from }))), /this is the reason/)
      const custom = await failure(contract.methods.failWithCustomError(3).call())
      const data = web3.eth.abi.encodeFunctionSignature('TooSmall(uint256,uint256)')
      if (Web3 === Web3Four) {
        assert.equal(custom.cause.errorName, 'TooSmall')
        assert.deepEqual([custom.cause.errorArgs.given, custom.cause.errorArgs.wanted], [3n, 10n])
      } else assert.ok(custom.data.startsWith(data), custom.data)
      web3.eth.handleRevert = true
      const sent = await failure(
        web3.eth.sendTransaction({ from, to: contract.options.address, gas: '100000', data: contract.methods.failWithReason().encodeABI() }))
      web3.eth.handleRevert = false
      assert.match(everything(sent), /this is the reason/)
    })

    test('refused transactions', async () => {
      const sent = (request, key = keys[0]) => failure(
        web3.eth.accounts.signTransaction({ to: addresses[1], gas: '21000', gasPrice: '100000000000', value: '1', chainId: 31337, ...request }, key)
          .then(({ rawTransaction }) => web3.eth.sendSignedTransaction(rawTransaction)))
      const nonce = Number(await web3.eth.getTransactionCount(from))
      const cases = [
        [await sent({ nonce: 0 }), /nonce too low: next nonce \d+, tx nonce 0/],
        [await sent({ nonce, value: String(10n ** 30n) }), /insufficient funds for gas \* price \+ value/],
        [await sent({ nonce: 0 }, `0x${'7'.repeat(64)}`), /insufficient funds for gas \* price \+ value/],
        [await sent({ nonce, gasPrice: '1' }), /max fee per gas less than block base fee|transaction underpriced/],
      ]
      for (const [error, words] of cases) assert.match(everything(error), words)
      if (Web3 === Web3Four) {
        assert.equal(cases[0][0].name, 'InvalidResponseError')
        assert.equal(cases[0][0].cause?.code ?? cases[0][0].innerError?.code, -32000)
        assert.equal((await failure(contract.methods.failWithReason().call())).name, 'ContractExecutionError')
      }
    })

    test('fees', async () => {
      const history = await web3.eth.getFeeHistory(3, 'latest', [25, 75])
      assert.equal(history.baseFeePerGas.length, 4)
      assert.equal(history.reward.length, 3)
      assert.equal(history.reward[0].length, 2)
      assert.ok(BigInt(await web3.eth.getGasPrice()) > 0n)
    })

    test('a batch', async () => {
      const [balance, block, count] = await batch(web3, [
        ['eth_getBalance', [addresses[1], 'latest']],
        [Web3 === Web3One ? 'eth_getBlock' : 'eth_getBlockByNumber', ['latest', false]],
        ['eth_getTransactionCount', [from, 'latest']],
      ])
      assert.equal(BigInt(balance.result ?? balance), 10000n * 10n ** 18n)
      assert.match(block.result?.hash ?? block.hash, /^0x[0-9a-f]{64}$/)
      assert.ok(Number(count.result ?? count) > 0)
    })

    test('subscriptions over WebSocket, and coming back after the node was started again', async () => {
      const live = new Web3(socket(node.url.replace('http', 'ws')))
      const heard = { heads: [], pending: [], logs: [], events: [] }
      try {
        live.eth.accounts.wallet.add(account)
        const theirs = new live.eth.Contract(sample.abi, contract.options.address)
        const listen = async () => {
          const heads = await subscribe(live, 'newBlockHeaders')
          heads.on('data', (head) => heard.heads.push(Number(head.number)))
          const pending = await subscribe(live, 'pendingTransactions')
          pending.on('data', (hash) => heard.pending.push(hash))
          const logs = await subscribe(live, 'logs', { address: contract.options.address })
          logs.on('data', (log) => heard.logs.push(log.transactionHash))
          await subscribe(live, 'syncing')
        }
        await listen()
        const events = theirs.events.Stored({ filter: { key: 5 } })
        events.on('data', (event) => heard.events.push(String(event.returnValues.value)))
        await new Promise((resolve) => events.once('connected', resolve))
        const first = Number(await live.eth.getBlockNumber()) + 1
        const receipts = []
        for (let i = 4; i < 7; i++) receipts.push(await theirs.methods.store(i, i + 10).send({ from, gas: '200000' }))
        const hashes = receipts.map((receipt) => receipt.transactionHash)
        await until(() => heard.logs.length === 3 && heard.heads.length === 3 && heard.pending.length === 3, 'three of each')
        await until(() => heard.events.length === 1, 'the event')
        assert.deepEqual(heard.logs, hashes)
        assert.deepEqual(heard.pending, hashes)
        assert.deepEqual(heard.heads, [first, first + 1, first + 2])
        assert.deepEqual(heard.events, ['15'])

        await node.end('SIGTERM')
        await node.launch()
        // The library opens its connection again by itself.
        await until(() => Promise.race([live.eth.getBlockNumber(), sleep(1000)]).then((number) => Number(number) >= first + 2, () => false), 'back')
        heard.heads.length = 0
        const again = await subscribe(live, 'newBlockHeaders')
        again.on('data', (head) => heard.heads.push(Number(head.number)))
        const receipt = await theirs.methods.store(5, 16).send({ from, gas: '200000' })
        await until(() => heard.heads.includes(Number(receipt.blockNumber)), 'a head of the new life')
        if (Web3 === Web3One) // it subscribes again by itself; 4.x does not
          await until(() => heard.logs.includes(receipt.transactionHash) && heard.events.includes('16'), 'its old subscriptions')
      } finally {
        live.currentProvider.disconnect()
      }
    })
  })
