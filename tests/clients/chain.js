// What the tests of contracts share: published artifacts, storage slots and proofs worked out by hand.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { AbiCoder, ContractFactory, decodeRlp, encodeRlp, keccak256, stripZerosLeft, toBeHex, zeroPadValue } from 'ethers'

const require = createRequire(import.meta.url)
const coder = AbiCoder.defaultAbiCoder()

// A contract as its authors compiled it: the path of its JSON file in node_modules.
export function artifact(path) {
  const { abi, bytecode } = require(path)
  return { abi, bytecode: bytecode.startsWith('0x') ? bytecode : `0x${bytecode}` }
}

export async function deploy(wallet, { abi, bytecode }, ...args) {
  const contract = await new ContractFactory(abi, bytecode, wallet).deploy(...args)
  await contract.waitForDeployment()
  contract.at = await contract.getAddress()
  return contract
}

// Sends a transaction and gives its receipt: it succeeded, and used no more than was estimated.
export async function send(contract, name, ...args) {
  const method = contract.getFunction(name)
  const fragment = method.getFragment(...args)
  const last = args.length > fragment.inputs.length ? args[args.length - 1] : {}
  const estimate = await method.estimateGas(...args)
  const given = args.slice(0, fragment.inputs.length)
  const receipt = await (await method.send(...given, { gasLimit: (estimate * 3n) / 2n, ...last })).wait()
  assert.equal(receipt.status, 1)
  return receipt
}

// Where Solidity keeps mapping[key] of the mapping at a slot.
export const slotOf = (type, key, slot) => keccak256(coder.encode([type, 'uint256'], [key, slot]))

export const word = (value) => zeroPadValue(toBeHex(value), 32)

// The value under a key in a Merkle Patricia trie, from the nodes on its way; null when the proof shows there is none.
function provenValue(root, key, nodes) {
  const nibbles = [...keccak256(key).slice(2)].map((digit) => parseInt(digit, 16))
  let node = null
  let wanted = root
  let next = 0
  for (;;) {
    if (typeof wanted === 'string' && wanted === '0x') return null
    if (typeof wanted === 'string') {
      assert.equal(keccak256(nodes[next]), wanted, 'a node of the proof has another hash')
      node = decodeRlp(nodes[next++])
    } else node = wanted
    if (node.length === 17) {
      wanted = node[nibbles.shift()]
      continue
    }
    const path = [...node[0].slice(2)].map((digit) => parseInt(digit, 16))
    const rest = path.slice(path[0] & 1 ? 1 : 2)
    if (rest.some((nibble, i) => nibble !== nibbles[i])) return null
    nibbles.splice(0, rest.length)
    if (path[0] >= 2) {
      assert.equal(nibbles.length, 0)
      return node[1]
    }
    wanted = node[1]
  }
}

// Checks eth_getProof of one storage slot against the state root of its block; gives the slot's value.
export async function provenSlot(provider, address, slot, block) {
  const header = await provider.send('eth_getBlockByNumber', [toBeHex(block).replace(/^0x0+(?=.)/, '0x'), false])
  const proof = await provider.send('eth_getProof', [address, [slot], header.number])
  const account = [proof.nonce, proof.balance].map((value) => stripZerosLeft(toBeHex(value)))
  assert.equal(provenValue(header.stateRoot, address, proof.accountProof), encodeRlp([...account, proof.storageHash, proof.codeHash]))
  const [{ value, proof: nodes }] = proof.storageProof
  const stored = provenValue(proof.storageHash, slot, nodes)
  assert.equal(stored === null ? 0n : BigInt(decodeRlp(stored)), BigInt(value))
  return BigInt(value)
}

