// A Safe of two signatures out of three, as its authors compiled it.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  Contract, JsonRpcProvider, TypedDataEncoder, Wallet, ZeroAddress, concat, dataLength, getAddress, getCreate2Address, keccak256, parseEther,
  solidityPacked, solidityPackedKeccak256, toBeHex,
} from 'ethers'
import { artifact, deploy, send, word } from './chain.js'
import { Node, addresses, keys } from './node.js'

const published = (path) => artifact(`@safe-global/safe-contracts/build/artifacts/contracts/${path}.json`)
const safeArtifact = published('Safe.sol/Safe')
const owners = keys.slice(0, 3).map((key) => new Wallet(key))
const SafeTx = Object.entries({
  to: 'address', value: 'uint256', data: 'bytes', operation: 'uint8', safeTxGas: 'uint256', baseGas: 'uint256', gasPrice: 'uint256',
  gasToken: 'address', refundReceiver: 'address', nonce: 'uint256',
}).map(([name, type]) => ({ name, type }))

let node, provider, wallet, singleton, factory, safe

// The arguments of execTransaction, signed by some keys in the order of their addresses.
async function signed(request, signers) {
  const nonce = await safe.nonce()
  const message = {
    value: 0n, data: '0x', operation: 0, safeTxGas: 0, baseGas: 0, gasPrice: 0, gasToken: ZeroAddress, refundReceiver: ZeroAddress, nonce,
    ...request,
  }
  const domain = { chainId: 31337, verifyingContract: safe.at }
  const ordered = [...signers].sort((one, other) => (BigInt(one.address) < BigInt(other.address) ? -1 : 1))
  const signatures = await Promise.all(ordered.map((signer) => signer.signTypedData(domain, { SafeTx }, message)))
  const values = SafeTx.map(({ name }) => message[name])
  assert.equal(await safe.getTransactionHash(...values), TypedDataEncoder.hash(domain, { SafeTx }, message))
  return [...values.slice(0, -1), concat(signatures)]
}

describe('a Safe', () => {
  before(async () => {
    node = await Node.start()
    provider = new JsonRpcProvider(node.url, undefined, { cacheTimeout: -1 })
    wallet = new Wallet(keys[3], provider)
    singleton = await deploy(wallet, safeArtifact)
    factory = await deploy(wallet, published('proxies/SafeProxyFactory.sol/SafeProxyFactory'))
  })

  after(async () => {
    provider?.destroy()
    await node?.stop()
  })

  test('comes out of the factory at the address that CREATE2 gives', async () => {
    const who = owners.map((owner) => owner.address)
    const setup = singleton.interface.encodeFunctionData('setup', [who, 2, ZeroAddress, '0x', ZeroAddress, ZeroAddress, 0, ZeroAddress])
    const salt = solidityPackedKeccak256(['bytes32', 'uint256'], [keccak256(setup), 7])
    const code = concat([await factory.proxyCreationCode(), word(singleton.at)])
    const at = getCreate2Address(factory.at, salt, keccak256(code))
    const receipt = await send(factory, 'createProxyWithNonce', singleton.at, setup, 7)
    const [event] = receipt.logs.map((log) => factory.interface.parseLog(log)).filter((log) => log)
    assert.equal(event.name, 'ProxyCreation')
    assert.equal(event.args.proxy, at)
    safe = new Contract(at, safeArtifact.abi, wallet)
    safe.at = at
    assert.deepEqual([...(await safe.getOwners())], who)
    // singleton, modules, owners, their number, the threshold: the first slots
    assert.equal(await provider.getStorage(at, 0), word(singleton.at).toLowerCase())
    assert.equal(await provider.getStorage(at, 3), word(3))
    assert.equal(await provider.getStorage(at, 4), word(2))
    await wallet.sendTransaction({ to: at, value: parseEther('5') }).then((sent) => sent.wait())
  })

  test('two owners move ether', async () => {
    const to = Wallet.createRandom().address
    const receipt = await send(safe, 'execTransaction', ...(await signed({ to, value: parseEther('1') }, [owners[0], owners[2]])))
    assert.equal(await provider.getBalance(to), parseEther('1'))
    assert.equal(await provider.getBalance(safe.at), parseEther('4'))
    assert.equal(receipt.logs.map((log) => safe.interface.parseLog(log).name).at(-1), 'ExecutionSuccess')
    assert.equal(await provider.getStorage(safe.at, 5), word(1)) // its nonce
    const trace = await provider.send('debug_traceTransaction', [receipt.hash, { tracer: 'callTracer' }])
    const shape = (call) => [`${call.type} ${getAddress(call.to)}`, ...(call.calls ?? []).map(shape)]
    const recover = [`STATICCALL ${getAddress(toBeHex(1, 20))}`]
    assert.deepEqual(shape(trace), [`CALL ${safe.at}`, [`DELEGATECALL ${singleton.at}`, recover, recover, [`CALL ${to}`]]])
  })

  test('wrong signatures are refused with the reasons that its documents list', async () => {
    const to = addresses[4]
    const refused = async (signers, reason) => {
      const values = await signed({ to, value: 1n }, signers)
      const why = (error) => error.reason === reason
      await assert.rejects(safe.execTransaction.staticCall(...values), why)
      await assert.rejects(safe.execTransaction.estimateGas(...values), why)
    }
    await refused([owners[0], new Wallet(keys[4])], 'GS026')
    await refused([owners[0]], 'GS020')
    await refused([owners[1], owners[1]], 'GS026')
    const values = await signed({ to, value: parseEther('100') }, owners.slice(0, 2)) // more than it holds
    await assert.rejects(safe.execTransaction.staticCall(...values), (error) => error.reason === 'GS013')
    const sent = await safe.execTransaction(...values, { gasLimit: 300_000 })
    await assert.rejects(sent.wait(), { code: 'CALL_EXCEPTION' })
    assert.equal((await provider.getTransactionReceipt(sent.hash)).status, 0)
    assert.equal(await safe.nonce(), 1n)
  })

  test('many calls in one, by delegation', async () => {
    const many = await deploy(wallet, published('libraries/MultiSend.sol/MultiSend'))
    const targets = [Wallet.createRandom().address, Wallet.createRandom().address]
    const calls = targets.map((to, i) => solidityPacked(['uint8', 'address', 'uint256', 'uint256', 'bytes'], [0, to, i + 1, dataLength('0x'), '0x']))
    const data = many.interface.encodeFunctionData('multiSend', [concat(calls)])
    await send(safe, 'execTransaction', ...(await signed({ to: many.at, data, operation: 1 }, owners.slice(1))))
    assert.deepEqual(await Promise.all(targets.map((to) => provider.getBalance(to))), [1n, 2n])
  })

  test('a module acts without signatures; others may not', async () => {
    const to = Wallet.createRandom().address
    const asModule = [to, 9n, '0x', 0]
    await assert.rejects(safe.execTransactionFromModule.staticCall(...asModule), (error) => error.reason === 'GS104')
    const data = safe.interface.encodeFunctionData('enableModule', [wallet.address])
    await assert.rejects(safe.enableModule.staticCall(wallet.address), (error) => error.reason === 'GS031')
    await send(safe, 'execTransaction', ...(await signed({ to: safe.at, data }, owners)))
    await send(safe, 'execTransactionFromModule', ...asModule)
    assert.equal(await provider.getBalance(to), 9n)
    assert.equal((await safe.queryFilter('ExecutionFromModuleSuccess', 0)).length, 1)
  })
})
