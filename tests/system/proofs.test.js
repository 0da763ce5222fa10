// Proofs and simulations while transactions pour in: each succeeds, and each proof leads to its block's state root.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeRlp } from 'ethers';

import { patience, run, startNode } from './support/node.js';
import { proven } from './support/proof.js';
import { accounts, stranger } from './support/wallets.js';

const hex = (number) => '0x' + number.toString(16);
const funder = accounts[0].address;

function check(root, address, answer) {
  const leaf = proven(root, address, answer.accountProof);
  if (leaf === null) return assert.deepEqual([answer.nonce, answer.balance], ['0x0', '0x0']);
  const [nonce, balance, storageRoot, codeHash] = decodeRlp(leaf);
  assert.deepEqual([BigInt(nonce === '0x' ? 0 : nonce), BigInt(balance === '0x' ? 0 : balance)], [BigInt(answer.nonce), BigInt(answer.balance)]);
  assert.deepEqual([storageRoot, codeHash], [answer.storageHash, answer.codeHash]);
}

test('under load every proof and simulation at the newest block succeeds', async (t) => {
  const node = await startNode(t);
  const load = run(
    ['load', '--address', `127.0.0.1:${node.udpPort}`, '--rpc', node.url, '--count', '30000', '--window', '256', '--senders', '32', '--recipients', '64', '--threads', '1'],
    { timeout: 120000 },
  );
  let isOver = false;
  load.then(() => (isOver = true));
  const count = { proofs: 0, simulations: 0, older: 0 };
  const root = async (number) => (await node.call('eth_getBlockByNumber', [hex(number), false])).stateRoot;
  while (!isOver) {
    const number = Number(await node.call('eth_blockNumber'));
    check(await root(number), funder, await node.call('eth_getProof', [funder, [], hex(number)]));
    check(await root(number), stranger(1), await node.call('eth_getProof', [stranger(1), [], hex(number)]));
    count.proofs += 2;

    await node.call('eth_getProof', [funder, [], 'latest']);
    const transfer = { from: funder, to: stranger(1), value: '0x1' };
    const blocks = await node.call('eth_simulateV1', [{ blockStateCalls: [{ calls: [transfer] }, {}] }, 'latest']);
    assert.equal(blocks.length, 2);
    assert.equal(blocks[0].calls[0].status, '0x1');
    assert.equal(blocks[1].parentHash, blocks[0].hash);
    assert.ok(await node.call('eth_getBlockByHash', [blocks[0].parentHash, false]), 'it stands on a block of the chain');
    count.simulations++;

    const before = Math.max(0, number - 1);
    check(await root(before), funder, await node.call('eth_getProof', [funder, [], hex(before)]));
    count.older++;
  }
  const { code, stdout, stderr } = await load;
  assert.equal(code, 0, stdout + stderr);
  console.log(JSON.stringify(count));
  assert.ok(count.proofs > 10 / patience, JSON.stringify(count));
});
