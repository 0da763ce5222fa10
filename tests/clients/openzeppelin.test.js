// OpenZeppelin's contracts: tokens, roles, proxies, a timelock; and a batch that an account delegates to.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  Contract, JsonRpcProvider, MaxUint256, Signature, Wallet, ZeroAddress, ZeroHash, getAddress, getCreate2Address, getCreateAddress, id, keccak256,
  parseEther, toBeHex,
} from 'ethers'
import { artifact, deploy, provenSlot, send, slotOf, word } from './chain.js'
import { compileAll } from './compile.js'
import { Node, addresses, keys } from './node.js'

const contracts = compileAll('Tokens')
const published = (name) => artifact(`@openzeppelin/contracts/build/contracts/${name}.json`)
const [me, other, third] = addresses
// ERC-1967 and ERC-7201: where a proxy keeps things, by name
const slot1967 = (name) => toBeHex(BigInt(id(`eip1967.proxy.${name}`)) - 1n, 32)
const slot7201 = (name) => toBeHex(BigInt(keccak256(toBeHex(BigInt(id(name)) - 1n, 32))) & (MaxUint256 - 255n), 32)

let node, provider, wallet, second, coin

const events = (receipt, contract) => receipt.logs.map((log) => contract.interface.parseLog(log)).filter((event) => event).map(({ name, args }) => [name, ...args])

// Asserts that a call and an estimate revert with a custom error and its arguments.
async function reverts(contract, name, args, error, values) {
  const right = (problem) => {
    assert.equal(problem.revert?.name, error)
    assert.deepEqual([...problem.revert.args], values)
    return true
  }
  const method = contract.getFunction(name)
  await assert.rejects(method.staticCall(...args), right)
  await assert.rejects(method.estimateGas(...args), (problem) => {
    assert.deepEqual([...contract.interface.parseError(problem.data).args], values)
    return true
  })
}

describe('OpenZeppelin', () => {
  before(async () => {
    node = await Node.start()
    provider = new JsonRpcProvider(node.url, undefined, { cacheTimeout: -1 })
    wallet = new Wallet(keys[0], provider)
    second = new Wallet(keys[1], provider)
    coin = await deploy(wallet, contracts.Coin)
  })

  after(async () => {
    provider?.destroy()
    await node?.stop()
  })

  test('roles, and what they refuse', async () => {
    const role = id('MINTER')
    await reverts(coin, 'mint', [me, 1], 'AccessControlUnauthorizedAccount', [me, role])
    const receipt = await send(coin, 'grantRole', role, me)
    assert.deepEqual(events(receipt, coin), [['RoleGranted', role, me, me]])
    await send(coin, 'mint', me, 1000)
    await reverts(coin.connect(second), 'grantRole', [role, other], 'AccessControlUnauthorizedAccount', [other, ZeroHash])
    const sent = await coin.connect(second).mint(other, 1, { gasLimit: 100_000 })
    await assert.rejects(sent.wait(), { code: 'CALL_EXCEPTION' })
    assert.equal((await provider.getTransactionReceipt(sent.hash)).status, 0)
  })

  test('ERC-20: moves, burns, pauses', async () => {
    const receipt = await send(coin, 'transfer', other, 300)
    assert.deepEqual(events(receipt, coin), [['Transfer', me, other, 300n]])
    await send(coin, 'burn', 100)
    assert.deepEqual([await coin.balanceOf(me), await coin.balanceOf(other), await coin.totalSupply()], [600n, 300n, 900n])
    const slot = slotOf('address', other, 0)
    assert.equal(await provider.getStorage(coin.at, slot), word(300))
    assert.equal(await provenSlot(provider, coin.at, slot, await provider.getBlockNumber()), 300n)
    await reverts(coin, 'transfer', [other, 601], 'ERC20InsufficientBalance', [me, 600n, 601n])
    await reverts(coin.connect(second), 'transferFrom', [me, other, 5], 'ERC20InsufficientAllowance', [other, 0n, 5n])
    await send(coin, 'pause')
    await reverts(coin, 'transfer', [other, 1], 'EnforcedPause', [])
    await send(coin, 'unpause')
  })

  test('ERC-2612: a permit signed by one is sent by another, once', async () => {
    const domain = { name: 'Coin', version: '1', chainId: 31337, verifyingContract: coin.at }
    const fields = ['owner:address', 'spender:address', 'value:uint256', 'nonce:uint256', 'deadline:uint256']
    const types = { Permit: fields.map((field) => ({ name: field.split(':')[0], type: field.split(':')[1] })) }
    const deadline = 2n ** 40n
    const { v, r, s } = Signature.from(await wallet.signTypedData(domain, types, { owner: me, spender: other, value: 50, nonce: 0, deadline }))
    const by = coin.connect(second)
    await send(by, 'permit', me, other, 50, deadline, v, r, s)
    await send(by, 'transferFrom', me, third, 20)
    assert.equal(await coin.allowance(me, other), 30n)
    const { problem } = await by.permit.staticCall(me, other, 50, deadline, v, r, s).catch((error) => ({ problem: error }))
    assert.equal(problem.revert.name, 'ERC2612InvalidSigner')
    assert.equal(problem.revert.args[1], me)
  })

  test('votes follow delegation, and the past stays', async () => {
    const receipt = await send(coin, 'delegate', me)
    assert.equal(await coin.getVotes(me), 580n)
    const { blockNumber } = await send(coin, 'transfer', other, 80)
    assert.equal(await coin.getVotes(me), 500n)
    await send(coin, 'approve', other, 0) // one more block
    assert.equal(await coin.getPastVotes(me, receipt.blockNumber), 580n)
    assert.equal(await coin.getPastVotes(me, blockNumber), 500n)
  })

  test('Multicall', async () => {
    const calls = [['transfer', [other, 1]], ['transfer', [third, 2]]].map(([name, args]) => coin.interface.encodeFunctionData(name, args))
    const receipt = await send(coin, 'multicall', calls)
    assert.deepEqual(events(receipt, coin).filter(([name]) => name === 'Transfer'), [['Transfer', me, other, 1n], ['Transfer', me, third, 2n]])
  })

  test('ERC-721: enumerable, with URIs, into contracts that take it only', async () => {
    const piece = await deploy(wallet, contracts.Piece)
    const keeper = await deploy(wallet, contracts.Keeper)
    for (const number of [11, 22]) await send(piece, 'mint', me, number, `https://pieces.example/${number}`)
    assert.equal(await piece.tokenURI(22), 'https://pieces.example/22')
    assert.deepEqual([await piece.totalSupply(), await piece.tokenByIndex(1), await piece.tokenOfOwnerByIndex(me, 0)], [2n, 22n, 11n])
    const transfer = 'safeTransferFrom(address,address,uint256)'
    await reverts(piece, transfer, [me, coin.at, 11], 'ERC721InvalidReceiver', [coin.at])
    await send(piece, transfer, me, keeper.at, 11)
    assert.equal(await piece.ownerOf(11), keeper.at)
    await reverts(piece, transfer, [me, keeper.at, 11], 'ERC721InsufficientApproval', [me, 11n])
    await reverts(piece, 'ownerOf', [33], 'ERC721NonexistentToken', [33n])
    assert.equal(await piece.supportsInterface('0x780e9d63'), true) // enumerable
  })

  test('ERC-1155: batches', async () => {
    const items = await deploy(wallet, contracts.Items)
    const keeper = await deploy(wallet, contracts.Keeper)
    await send(items, 'mint', me, [1, 2, 3], [10, 20, 30])
    const receipt = await send(items, 'safeBatchTransferFrom', me, keeper.at, [1, 3], [4, 5], '0x')
    const [event] = events(receipt, items)
    assert.equal(event[0], 'TransferBatch')
    assert.deepEqual([...(await items.balanceOfBatch([me, me, keeper.at, keeper.at], [1, 3, 1, 3]))], [6n, 25n, 4n, 5n])
    assert.equal(await items['totalSupply()'](), 60n)
    await reverts(items, 'safeBatchTransferFrom', [me, keeper.at, [1], [1, 2], '0x'], 'ERC1155InvalidArrayLength', [1n, 2n])
    await reverts(items, 'safeBatchTransferFrom', [me, coin.at, [1], [1], '0x'], 'ERC1155InvalidReceiver', [coin.at])
    await reverts(items, 'safeTransferFrom', [me, keeper.at, 1, 7, '0x'], 'ERC1155InsufficientBalance', [me, 6n, 7n, 1n])
  })

  test('Create2', async () => {
    const maker = await deploy(wallet, contracts.Maker)
    const at = getCreate2Address(maker.at, id('salt'), keccak256(contracts.Keeper.bytecode))
    assert.equal(await maker.foretell(id('salt'), keccak256(contracts.Keeper.bytecode)), at)
    assert.equal(await provider.getCode(at), '0x')
    await send(maker, 'make', id('salt'), contracts.Keeper.bytecode)
    assert.ok((await provider.getCode(at)).length > 1000)
    const again = await maker.make.staticCall(id('salt'), contracts.Keeper.bytecode).catch((error) => error)
    assert.equal(again.data, id('FailedDeployment()').slice(0, 10))
  })

  test('a UUPS proxy keeps its state through an upgrade', async () => {
    const [one, two] = [await deploy(wallet, contracts.BoxOne), await deploy(wallet, contracts.BoxTwo)]
    const start = one.interface.encodeFunctionData('initialize', [me, 42])
    const proxy = await deploy(wallet, published('ERC1967Proxy'), one.at, start)
    const box = new Contract(proxy.at, contracts.BoxTwo.abi, wallet)
    const implementation = async () => getAddress('0x' + (await provider.getStorage(proxy.at, slot1967('implementation'))).slice(26))
    assert.equal(await implementation(), one.at)
    assert.equal(await provider.getStorage(proxy.at, 0), word(42))
    assert.equal(await provider.getStorage(proxy.at, slot7201('openzeppelin.storage.Ownable')), word(me).toLowerCase())
    await reverts(box, 'initialize', [me, 1], 'InvalidInitialization', [])
    await reverts(box.connect(second), 'upgradeToAndCall', [two.at, '0x'], 'OwnableUnauthorizedAccount', [other])
    const receipt = await send(box, 'upgradeToAndCall', two.at, two.interface.encodeFunctionData('double'))
    assert.deepEqual(events(receipt, box), [['Upgraded', two.at]])
    assert.equal(await implementation(), two.at)
    assert.deepEqual([await box.version(), await box.value(), await two.value()], [2n, 84n, 0n])
    const old = { blockTag: receipt.blockNumber - 1 }
    assert.deepEqual([await box.version(old), await box.value(old)], [1n, 42n])
  })

  test('a transparent proxy is upgraded by its ProxyAdmin', async () => {
    const [one, two] = [await deploy(wallet, contracts.BoxOne), await deploy(wallet, contracts.BoxTwo)]
    const start = one.interface.encodeFunctionData('initialize', [me, 7])
    const proxy = await deploy(wallet, published('TransparentUpgradeableProxy'), one.at, me, start)
    const box = new Contract(proxy.at, contracts.BoxTwo.abi, wallet)
    const adminAt = getCreateAddress({ from: proxy.at, nonce: 1 }) // the proxy made it
    assert.equal(await provider.getStorage(proxy.at, slot1967('admin')), word(adminAt).toLowerCase())
    const admin = new Contract(adminAt, published('ProxyAdmin').abi, wallet)
    await reverts(admin.connect(second), 'upgradeAndCall', [proxy.at, two.at, '0x'], 'OwnableUnauthorizedAccount', [other])
    const receipt = await send(admin, 'upgradeAndCall', proxy.at, two.at, '0x')
    assert.equal(await provider.getStorage(proxy.at, slot1967('implementation')), word(two.at).toLowerCase())
    assert.deepEqual([await box.version(), await box.value()], [2n, 7n])
    const trace = await provider.send('debug_traceTransaction', [receipt.hash, { tracer: 'callTracer' }])
    assert.deepEqual([trace.type, trace.calls.length, trace.calls[0].type, getAddress(trace.calls[0].to)], ['CALL', 1, 'CALL', proxy.at])
  })

  test('a timelock holds a call back until its time', async () => {
    const lock = await deploy(wallet, published('TimelockController'), 1, [me], [ZeroAddress], me)
    await send(coin, 'grantRole', id('MINTER'), lock.at)
    const call = [coin.at, 0, coin.interface.encodeFunctionData('mint', [third, 77]), ZeroHash, id('once')]
    const operation = await lock.hashOperation(...call)
    await reverts(lock, 'schedule', [...call, 0], 'TimelockInsufficientDelay', [0n, 1n])
    const { blockNumber } = await send(lock, 'schedule', ...call, 1)
    const due = (await provider.getBlock(blockNumber)).timestamp + 1
    assert.equal(await lock.getTimestamp(operation), BigInt(due))
    while (Date.now() / 1000 < due + 1) await new Promise((resolve) => setTimeout(resolve, 50))
    const had = await coin.balanceOf(third)
    // A call for "latest" has that block's time, which is before; an estimate and "pending" have the time of now.
    await assert.rejects(lock.connect(second).execute.staticCall(...call), (error) => lock.interface.parseError(error.data).name === 'TimelockUnexpectedOperationState')
    await lock.connect(second).execute.staticCall(...call, { blockTag: 'pending' })
    const sent = await lock.connect(second).execute(...call)
    assert.equal((await sent.wait()).status, 1)
    assert.equal((await coin.balanceOf(third)) - had, 77n)
    assert.equal(await lock.isOperationDone(operation), true)
  })

  test('an account delegates to a batch and takes it back (EIP-7702)', async () => {
    const batch = await deploy(second, contracts.Batch)
    const account = new Wallet(keys[4], provider)
    await send(coin, 'mint', account.address, 10)
    const delegate = async (address) => account.authorize({ address, nonce: (await account.getNonce()) + 1, chainId: 31337 })
    const to = Wallet.createRandom().address
    const calls = [[to, parseEther('1'), '0x'], [coin.at, 0, coin.interface.encodeFunctionData('transfer', [to, 4])]]
    const data = batch.interface.encodeFunctionData('run', [calls])
    const request = { type: 4, to: account.address, data, gasLimit: 300_000, authorizationList: [await delegate(batch.at)] }
    assert.equal((await (await account.sendTransaction(request)).wait()).status, 1)
    assert.equal(await provider.getCode(account.address), `0xef0100${batch.at.slice(2).toLowerCase()}`)
    assert.deepEqual([await provider.getBalance(to), await coin.balanceOf(to)], [parseEther('1'), 4n])
    const delegated = new Contract(account.address, contracts.Batch.abi, second)
    await reverts(delegated, 'run', [calls], 'NotMyself', [other])
    // an inner call's error comes out unchanged
    const dear = [[coin.at, 0, coin.interface.encodeFunctionData('transfer', [to, 99])]]
    const problem = await delegated.connect(account).run.staticCall(dear).catch((error) => error)
    assert.deepEqual([...coin.interface.parseError(problem.data).args], [account.address, 6n, 99n])
    const undone = { type: 4, to: account.address, gasLimit: 100_000, authorizationList: [await delegate(ZeroAddress)] }
    assert.equal((await (await account.sendTransaction(undone)).wait()).status, 1)
    assert.equal(await provider.getCode(account.address), '0x')
    assert.equal((await provider.send('eth_getProof', [account.address, [], 'latest'])).codeHash, keccak256('0x'))
  })
})
