// Transactions that are refused: by datagram and by JSON-RPC, each with its reason, its counter, and no other effect.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeRlp, getCreateAddress } from 'ethers';

import { Sender } from './support/datagrams.js';
import { startNode, until } from './support/node.js';
import {
  accounts, bytesOf, ether, fieldsOf, gwei, hashOf, poor, sign, signBlob, signFees, signLegacyByHand, stranger,
} from './support/wallets.js';

const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

// What must not change when something is refused.
async function state(node) {
  const parts = [await node.call('eth_blockNumber')];
  for (const wallet of [accounts[0], accounts[1], poor])
    parts.push(await node.balance(wallet.address), await node.nonce(wallet.address));
  parts.push(await node.balance(stranger(1)));
  return parts.join(' ');
}

// A legacy transaction with one field changed after signing.
function withField(wallet, nonce, index, value) {
  const fields = fieldsOf(signLegacyByHand(wallet, { nonce }));
  fields[index] = value;
  return encodeRlp(fields);
}

const transfer = (fields) => (wallet, nonce) => sign(wallet, { nonce, ...fields });
const legacy = (options) => (wallet, nonce) => signLegacyByHand(wallet, { nonce }, options);

// name; how it is made from a wallet and its next nonce; the reason; what JSON-RPC's users read.
const refused = [
  ['a list of too few fields', () => encodeRlp(Array(8).fill('0xdeadbeef')), 'MALFORMED', /^rlp: invalid/],
  ['a transaction cut inside', (w, nonce) => sign(w, { nonce }).slice(0, 2 + 2 * 60), 'MALFORMED', /^rlp: invalid/],
  ['a byte behind the list', (w, nonce) => sign(w, { nonce }) + '00', 'MALFORMED', /^rlp: invalid/],
  ['a number with a leading zero', (w, nonce) => withField(w, nonce, 2, '0x005208'), 'MALFORMED', /^rlp: invalid/],
  ['an address of 19 bytes', (w, nonce) => withField(w, nonce, 3, '0x' + '11'.repeat(19)), 'MALFORMED', /^rlp: invalid/],
  ['an unknown type', (w, nonce) => '0x05' + sign(w, { nonce }).slice(4), 'TYPE_NOT_SUPPORTED', /^transaction type not supported$/],
  ['a blob transaction', (w, nonce) => signBlob(w, nonce), 'TYPE_NOT_SUPPORTED', /^transaction type not supported: tx type 3 not supported by this pool$/],
  ['another chain id', transfer({ chainId: 1 }), 'WRONG_CHAIN_ID', /^invalid sender: invalid chain id for signer: have 1 want 31337$/],
  ['another chain id, legacy', legacy({ chainId: 5 }), 'WRONG_CHAIN_ID', /^invalid sender: invalid chain id for signer: have 5 want 31337$/],
  ['a high s', legacy({ highS: true }), 'INVALID_SIGNATURE', /^invalid sender: invalid transaction v, r, s values$/],
  ['r of zero', legacy({ r: 0n }), 'INVALID_SIGNATURE', /^invalid sender: invalid transaction v, r, s values$/],
  ['s of zero', legacy({ s: 0n }), 'INVALID_SIGNATURE', /^invalid sender: invalid transaction v, r, s values$/],
  ['r of the order', legacy({ r: order }), 'INVALID_SIGNATURE', /^invalid sender: invalid transaction v, r, s values$/],
  ['r that is no point', legacy({ r: 5n }), 'INVALID_SIGNATURE', /^invalid sender: invalid transaction v, r, s values$/],
  ['a changed amount, so another signer', (w, nonce) => withField(w, nonce, 4, '0x02'), 'FUNDS', /^insufficient funds for gas \* price \+ value/],
  ['the largest nonce', (w) => signLegacyByHand(w, { nonce: 2n ** 64n - 1n }), 'NONCE_MAX', /^nonce has max value/],
  ['a sender without funds', () => sign(poor, { nonce: 0 }), 'FUNDS', /^insufficient funds/],
  ['more value than there is', transfer({ value: 20000n * ether }), 'FUNDS', /^insufficient funds/],
  ['a price that overflows', (w, nonce) => signFees(w, nonce, { tip: 0n, fee: 2n ** 255n }), 'FUNDS', /^insufficient funds/],
  ['too little gas', transfer({ gasLimit: 20999n }), 'INTRINSIC_GAS', /^intrinsic gas too low/],
  ['less gas than the data floor', transfer({ data: '0x' + 'ff'.repeat(100), gasLimit: 23000n }), 'FLOOR_GAS', /floor data gas/],
  ['more gas than a transaction may have', transfer({ gasLimit: 16777217n }), 'GAS_LIMIT_CAP', /^transaction gas limit too high \(cap: 16777216, tx: 16777217\)$/],
  ['more gas than a block has', transfer({ gasLimit: 10n ** 12n }), 'BLOCK_GAS', /^exceeds block gas limit$/],
  ['a tip above the fee', (w, nonce) => signFees(w, nonce, { tip: 2n * gwei, fee: gwei }), 'TIP_ABOVE_FEE_CAP', /^max priority fee per gas higher/],
  ['too much initialization code', transfer({ to: null, value: 0n, data: '0x' + '00'.repeat(49153), gasLimit: 16000000n }), 'INITCODE_SIZE', /^max initcode size exceeded: code size 49153 limit 49152$/],
  ['delegation without authorizations', transfer({ type: 4, gasLimit: 100000n, authorizationList: [] }), 'SET_CODE_NO_AUTHORIZATION', /^set code tx must have at least one authorization tuple$/],
];

test('every bad transaction is refused over datagrams, counted, and changes nothing', async (t) => {
  const node = await startNode(t);
  const sender = new Sender(t, node.udpPort);
  await node.shows(await sender.submit(sign(accounts[0], { nonce: 0 })));
  const before = await state(node);
  for (const [name, make, reason] of refused) {
    const [verdicts, wire] = [await node.stats('/hanse/verdicts'), await node.stats('/hanse/wire')];
    const receipt = await sender.submit(make(accounts[0], 1), { again: 5000 });
    assert.deepEqual([receipt?.verdict, receipt?.detail], ['REJECTED', reason], name);
    // What is no transaction at all is answered, and counted, before the stages.
    const isAtOnce = (await node.changes('/hanse/wire', wire)).answered_at_once === 1;
    const moved = await node.changes('/hanse/verdicts', verdicts);
    assert.deepEqual(moved, isAtOnce ? {} : { verdict_REJECTED: 1, [`reject_${reason}`]: 1 }, name);
    assert.equal(await state(node), before, `${name} changed something`);
  }
  const good = await sender.submit(sign(accounts[0], { nonce: 1 }));
  assert.deepEqual([good.verdict, good.detail], ['EXECUTED', 0], 'the sender goes on as if nothing had been');
});

test('every bad transaction is refused over JSON-RPC, counted, and changes nothing', async (t) => {
  const node = await startNode(t);
  await node.call('eth_sendRawTransaction', [sign(accounts[0], { nonce: 0 })]);
  const before = await state(node);
  for (const [name, make, reason, text] of refused) {
    const verdicts = await node.stats('/hanse/verdicts');
    const answer = await node.ask('eth_sendRawTransaction', [make(accounts[0], 1)]);
    assert.ok(answer.error, `${name} was taken`);
    assert.match(answer.error.message, text, name);
    assert.equal(answer.error.code, -32000, name);
    const moved = await node.changes('/hanse/verdicts', verdicts);
    assert.deepEqual(moved, { verdict_REJECTED: 1, [`reject_${reason}`]: 1 }, name);
    assert.equal(await state(node), before, `${name} changed something`);
  }
  await node.call('eth_sendRawTransaction', [sign(accounts[0], { nonce: 1 })]);
  assert.equal(await node.nonce(accounts[0].address), 2);
});

// What a transaction deploys can only be judged when it has run: it is included, fails, pays, and leaves no code.
test('code that is too large, or may not be code, is not deployed, and its transaction fails', async (t) => {
  const node = await startNode(t);
  const sender = new Sender(t, node.udpPort);
  const size = (bytes) => '0x62' + bytes.toString(16).padStart(6, '0') + '5ff3'; // returns so many zeroes
  const cases = [
    ['the largest code', size(24576), 1, 24576],
    ['a byte too many', size(24577), 0, 0],
    ['a mebibyte', size(1048576), 0, 0],
    ['code that begins with 0xef', '0x60ef5f5360015ff3', 0, 0],
  ];
  for (const [nonce, [name, data, status, left]] of cases.entries()) {
    const raw = sign(accounts[0], { nonce, to: null, value: 0n, data, gasLimit: 16000000n });
    const receipt = await sender.submit(raw);
    assert.deepEqual([receipt.verdict, receipt.detail === 0], ['EXECUTED', status === 1], name);
    const found = await until(() => node.call('eth_getTransactionReceipt', [hashOf(raw)]), name);
    assert.equal(Number(found.status), status, name);
    if (status === 0) assert.equal(Number(found.gasUsed), 16000000, `${name} costs all its gas`);
    const code = await node.call('eth_getCode', [getCreateAddress({ from: accounts[0].address, nonce }), 'latest']);
    assert.equal((code.length - 2) / 2, left, name);
    assert.equal(await node.nonce(accounts[0].address), nonce + 1, name);
  }
});

test('a used nonce is refused on both ways', async (t) => {
  const node = await startNode(t);
  const sender = new Sender(t, node.udpPort);
  await node.shows(await sender.submit(sign(accounts[0], { nonce: 0 })));
  const before = await state(node);
  const late = await sender.submit(sign(accounts[0], { nonce: 0, value: 2n }));
  assert.deepEqual([late.verdict, late.detail], ['REJECTED', 'NONCE_TOO_LOW']);
  const answer = await node.ask('eth_sendRawTransaction', [sign(accounts[0], { nonce: 0, value: 3n })]);
  assert.match(answer.error.message, /^nonce too low/);
  assert.equal((await node.stats('/hanse/verdicts')).reject_NONCE_TOO_LOW, 2);
  assert.equal(await state(node), before);
});

test('a fee below the base fee is skipped, and the nonce stays free', async (t) => {
  const node = await startNode(t);
  const sender = new Sender(t, node.udpPort);
  const before = await state(node);
  const low = await sender.submit(sign(accounts[0], { nonce: 0, maxFeePerGas: 1n, maxPriorityFeePerGas: 1n }));
  assert.deepEqual([low.verdict, low.detail], ['SKIPPED', 'FEE_CAP_BELOW_BASE_FEE']);
  const answer = await node.ask('eth_sendRawTransaction', [
    sign(accounts[0], { nonce: 0, maxFeePerGas: 2n, maxPriorityFeePerGas: 1n }),
  ]);
  assert.match(answer.error.message, /max fee per gas less than block base fee/);
  assert.equal(await state(node), before);
  assert.equal((await sender.submit(sign(accounts[0], { nonce: 0 }))).verdict, 'EXECUTED');
});

test('JSON-RPC tells the numbers of a refusal', async (t) => {
  const node = await startNode(t);
  const refusal = async (raw) => (await node.ask('eth_sendRawTransaction', [raw])).error?.message;
  for (const nonce of [0, 1, 2]) await node.call('eth_sendRawTransaction', [sign(accounts[0], { nonce })]);
  const late = await refusal(sign(accounts[0], { nonce: 1, value: 2n }));
  assert.equal(late, 'nonce too low: next nonce 3, tx nonce 1');
  const balance = await node.balance(accounts[0].address);
  const value = 20000n * ether;
  const funds = 'insufficient funds for gas * price + value:';
  const fee = 21000n * 100n * gwei;
  const rich = await refusal(sign(accounts[0], { nonce: 3, value }));
  assert.equal(rich, `${funds} balance ${balance}, tx cost ${value + fee}, overshot ${value + fee - BigInt(balance)}`);
  const none = await refusal(sign(poor, { nonce: 0 }));
  assert.equal(none, `${funds} balance 0, tx cost ${1n + fee}, overshot ${1n + fee}`);
  const huge = await refusal(signFees(accounts[0], 3, { tip: 0n, fee: 2n ** 255n }));
  assert.equal(huge, `${funds} address ${accounts[0].address} required balance exceeds 256 bits`);
  const little = await refusal(sign(accounts[0], { nonce: 3, gasLimit: 20999n }));
  assert.equal(little, 'intrinsic gas too low: gas 20999, minimum needed 21000');
  const floor = await refusal(sign(accounts[0], { nonce: 3, data: '0x' + 'ff'.repeat(100), gasLimit: 23000n }));
  assert.equal(floor, 'insufficient gas for floor data gas cost: gas 23000, minimum needed 25000');
  const { baseFeePerGas, number } = await node.call('eth_getBlockByNumber', ['latest', false]);
  const low = await refusal(sign(accounts[0], { nonce: 3, maxFeePerGas: 2n, maxPriorityFeePerGas: 1n }));
  const [, address, cap, base] =
    /^max fee per gas less than block base fee: address (0x\w{40}), maxFeePerGas: (\d+), baseFee: (\d+)$/.exec(low) ?? assert.fail(low);
  assert.deepEqual([address, cap], [accounts[0].address, '2']);
  // That of the block which it would have been in: an eighth lower at most.
  assert.equal(number, '0x3');
  assert.ok(BigInt(base) < BigInt(baseFeePerGas) && BigInt(base) >= (BigInt(baseFeePerGas) * 7n) / 8n, `${base}, ${baseFeePerGas}`);
});

test('a gap in the nonces waits until it is filled', async (t) => {
  const node = await startNode(t);
  const sender = new Sender(t, node.udpPort);
  const [first, second, third] = [0, 1, 2].map((nonce) => sign(accounts[0], { nonce, to: stranger(5), value: 4n }));
  assert.equal(await node.call('eth_sendRawTransaction', [third]), hashOf(third), 'JSON-RPC answers at once');
  await sender.send(bytesOf(second));
  await until(() => node.call('eth_getTransactionByHash', [hashOf(second)]), 'it waits in the pool');
  assert.equal(sender.receipts.size, 0, 'nothing was acknowledged yet');
  assert.equal(await node.call('eth_getTransactionReceipt', [hashOf(second)]), null);
  assert.equal((await node.call('eth_getTransactionByHash', [hashOf(second)])).blockNumber, null, 'pending');
  assert.equal(await node.nonce(accounts[0].address, '/', 'pending'), 0);
  assert.equal((await sender.submit(second, { takeKnown: true })).verdict, 'KNOWN', 'repeated while it waits');
  assert.equal(await node.nonce(accounts[0].address), 0);

  assert.equal((await sender.submit(first)).verdict, 'EXECUTED');
  const receipts = await until(() => {
    const all = sender.receipts.get(hashOf(second));
    return all.some((receipt) => receipt.verdict === 'EXECUTED') && all;
  }, 'the one behind the gap is executed');
  assert.deepEqual(receipts.map((receipt) => receipt.verdict).filter((verdict) => verdict !== 'KNOWN'), ['EXECUTED']);
  await until(() => node.call('eth_getTransactionReceipt', [hashOf(third)]), 'the third has a receipt');
  assert.equal(await node.balance(stranger(5)), 12n);
});

test('a replacement needs a tenth more on both fees', async (t) => {
  const node = await startNode(t);
  const sender = new Sender(t, node.udpPort);
  const waiting = { nonce: 1, to: stranger(6), maxFeePerGas: 100n * gwei, maxPriorityFeePerGas: 10n * gwei };
  const old = sign(accounts[0], { ...waiting, value: 1n });
  await sender.send(bytesOf(old));
  await until(() => node.call('eth_getTransactionByHash', [hashOf(old)]), 'it waits in the pool');

  const verdicts = await node.stats('/hanse/verdicts');
  for (const [maxFeePerGas, maxPriorityFeePerGas] of [[100n, 10n], [109n, 11n], [110n, 10n], [200n, 9n]]) {
    const fees = { maxFeePerGas: maxFeePerGas * gwei, maxPriorityFeePerGas: maxPriorityFeePerGas * gwei };
    const receipt = await sender.submit(sign(accounts[0], { ...waiting, value: 2n, ...fees }));
    assert.equal(receipt.verdict, 'UNDERPRICED', `${maxFeePerGas}/${maxPriorityFeePerGas}`);
    const answer = await node.ask('eth_sendRawTransaction', [sign(accounts[0], { ...waiting, value: 3n, ...fees })]);
    assert.equal(answer.error?.message, 'replacement transaction underpriced');
  }
  assert.deepEqual(await node.changes('/hanse/verdicts', verdicts), { verdict_UNDERPRICED: 8 });

  const better = sign(accounts[0], { ...waiting, value: 7n, maxFeePerGas: 110n * gwei, maxPriorityFeePerGas: 11n * gwei });
  assert.equal(await node.call('eth_sendRawTransaction', [better]), hashOf(better));
  const [told] = await until(() => sender.receipts.get(hashOf(old)), 'the submitter of the old one hears of it');
  assert.equal(told.verdict, 'REPLACED');
  const best = sign(accounts[0], { ...waiting, value: 9n, maxFeePerGas: 130n * gwei, maxPriorityFeePerGas: 13n * gwei });
  await sender.send(bytesOf(best));
  await until(async () => (await node.stats('/hanse/verdicts')).verdict_REPLACED === 2, 'replaced over datagrams');

  assert.equal((await sender.submit(sign(accounts[0], { nonce: 0, to: stranger(8) }))).verdict, 'EXECUTED');
  await until(async () => (await node.nonce(accounts[0].address)) === 2, 'both are executed');
  assert.equal(await node.balance(stranger(6)), 9n);
  assert.equal(await node.call('eth_getTransactionReceipt', [hashOf(better)]), null);
});

test('the pool has its bounds, and says which was met', async (t) => {
  const node = await startNode(t, { args: ['--pool-gapped', '4', '--pool-transactions', '8'] });
  const sender = new Sender(t, node.udpPort);
  // Signatures are checked on several cores: what must come before has arrived when the pool says so.
  const waiting = (count) => until(async () => Number((await node.call('txpool_status')).queued) === count, `${count} wait`);
  for (let nonce = 1; nonce <= 4; nonce++) await sender.send(bytesOf(sign(accounts[0], { nonce })));
  await waiting(4);
  assert.equal((await sender.submit(sign(accounts[0], { nonce: 5 }))).verdict, 'SENDER_FULL');
  const answer = await node.ask('eth_sendRawTransaction', [sign(accounts[0], { nonce: 6 })]);
  assert.match(answer.error.message, /too many pending transactions of this sender/);
  for (let nonce = 1; nonce <= 4; nonce++) await sender.send(bytesOf(sign(accounts[1], { nonce })));
  await waiting(8);
  assert.equal((await sender.submit(sign(accounts[2], { nonce: 1 }))).verdict, 'POOL_FULL');
  assert.match((await node.ask('eth_sendRawTransaction', [sign(accounts[2], { nonce: 2 })])).error.message, /txpool is full/);
  // Whoever can be executed now comes first all the same.
  assert.equal((await sender.submit(sign(accounts[3], { nonce: 0 }))).verdict, 'EXECUTED');
  assert.equal((await sender.submit(sign(accounts[0], { nonce: 0 }))).verdict, 'EXECUTED');
});

test('a transaction larger than the limit is refused', async (t) => {
  const node = await startNode(t);
  const before = await state(node);
  const large = sign(accounts[0], { nonce: 0, data: '0x' + '00'.repeat(128 * 1024), gasLimit: 16000000n });
  const answer = await node.ask('eth_sendRawTransaction', [large]);
  assert.match(answer.error.message, /oversized data: transaction size \d+, limit 131072/);
  assert.equal(await state(node), before);
  const fits = sign(accounts[0], { nonce: 0, data: '0x' + '00'.repeat(127 * 1024), gasLimit: 16000000n });
  assert.equal(await node.call('eth_sendRawTransaction', [fits]), hashOf(fits));
  // A datagram holds up to 65,507 bytes.
  const sender = new Sender(t, node.udpPort);
  const longest = sign(accounts[0], { nonce: 1, data: '0x' + '00'.repeat(60 * 1024), gasLimit: 16000000n });
  assert.equal((await sender.submit(longest)).verdict, 'EXECUTED');
});
