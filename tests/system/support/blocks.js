// Blocks as other programs make and store them, put together with ethers and `hanse evm t8n`.
import assert from 'node:assert/strict';
import { decodeRlp, encodeRlp, getBytes, keccak256, toBeHex } from 'ethers';

import { run } from './node.js';

const noUncles = keccak256('0xc0');
const zeroHash = '0x' + '00'.repeat(32);
const quantity = (value) => (BigInt(value) === 0n ? '0x' : toBeHex(BigInt(value)));

// Where each item of a file of blocks begins and ends.
export function split(bytes) {
  const found = [];
  for (let at = 0; at < bytes.length; ) {
    const prefix = bytes[at];
    const sizeBytes = prefix > 0xf7 ? prefix - 0xf7 : 0;
    const size = sizeBytes === 0 ? prefix - 0xc0 : Number('0x' + bytes.toString('hex', at + 1, at + 1 + sizeBytes));
    const end = at + 1 + sizeBytes + size;
    found.push(bytes.subarray(at, end));
    at = end;
  }
  return found;
}

export const headerOf = (block) => decodeRlp('0x' + block.toString('hex'))[0];
export const hashOfBlock = (block) => keccak256(encodeRlp(headerOf(block)));
export const numberOf = (block) => Number(BigInt(headerOf(block)[8] === '0x' ? 0 : headerOf(block)[8]));

// The same block with one field of its header changed by `change`, a function of its hex text.
export function withField(block, index, change) {
  const parts = decodeRlp('0x' + block.toString('hex'));
  parts[0][index] = change(parts[0][index]);
  return Buffer.from(getBytes(encodeRlp(parts)));
}

// The first block of a ledger of Cancun: `parent` has hash and genesis (as JSON.parse gives it), `raws` are signed
// transactions.
export async function makeFirstBlock(parent, raws, { gasLimit, timestamp = 1000 }) {
  const environment = {
    currentCoinbase: '0x' + '00'.repeat(20), currentGasLimit: quantity(gasLimit), currentNumber: '0x1',
    currentTimestamp: quantity(timestamp), currentRandom: '0x0', currentDifficulty: '0x0', parentBaseFee: '0x3b9aca00',
    parentGasUsed: '0x0', parentGasLimit: parent.genesis.gasLimit, parentTimestamp: '0x0', parentDifficulty: '0x0',
    parentUncleHash: noUncles, parentExcessBlobGas: '0x0', parentBlobGasUsed: '0x0', parentBeaconBlockRoot: zeroHash,
    withdrawals: [], blockHashes: { 0: parent.hash },
  };
  const transactions = raws.map((raw) => (getBytes(raw)[0] >= 0xc0 ? decodeRlp(raw) : raw));
  const input = JSON.stringify({ alloc: parent.genesis.alloc, env: environment, txsRlp: encodeRlp(transactions) });
  const args = ['evm', 't8n', '--state.fork', 'Cancun', '--state.chainid', String(parent.genesis.config.chainId)];
  for (const name of ['alloc', 'env', 'txs']) args.push(`--input.${name}`, 'stdin');
  args.push('--output.result', 'stdout', '--output.alloc', '');
  const made = await run(args, { input });
  assert.equal(made.code, 0, made.stderr);
  const { result } = JSON.parse(made.stdout);
  assert.deepEqual([result.rejected ?? [], result.receipts.length], [[], raws.length]);
  const header = [
    parent.hash, noUncles, environment.currentCoinbase, result.stateRoot, result.txRoot, result.receiptsRoot,
    result.logsBloom, '0x', '0x01', quantity(gasLimit), quantity(result.gasUsed), quantity(timestamp), '0x', zeroHash,
    '0x' + '00'.repeat(8), quantity(result.currentBaseFee), result.withdrawalsRoot, quantity(result.blobGasUsed),
    quantity(result.currentExcessBlobGas), zeroHash,
  ];
  return Buffer.from(getBytes(encodeRlp([header, transactions, [], []])));
}
