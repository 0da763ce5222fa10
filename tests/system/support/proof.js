// Merkle proofs as eth_getProof gives them (yellow paper, appendix D), checked without the node's own code.
import assert from 'node:assert/strict';
import { decodeRlp, keccak256 } from 'ethers';

// The nibbles of a path that a leaf or an extension holds, without what says which of the two it is.
function pathOf(compact) {
  const nibbles = compact.slice(2);
  return { isLeaf: '23'.includes(nibbles[0]), path: nibbles.slice('13'.includes(nibbles[0]) ? 1 : 2) };
}

// What `nodes` prove to be at `key` under `root`: its RLP, or null when they prove that there is nothing.
export function proven(root, key, nodes) {
  let rest = keccak256(key).slice(2);
  let next = root;
  for (const [index, rlp] of nodes.entries()) {
    assert.equal(keccak256(rlp), next, `node ${index} is not the one that was named`);
    let node = decodeRlp(rlp);
    for (;;) {
      if (node.length === 17) {
        next = node[parseInt(rest[0], 16)];
        rest = rest.slice(1);
      } else {
        const { isLeaf, path } = pathOf(node[0]);
        const isOnTheWay = rest.startsWith(path);
        if (isLeaf || !isOnTheWay) {
          assert.equal(index, nodes.length - 1, 'nodes behind the end');
          return isLeaf && rest === path ? node[1] : null;
        }
        rest = rest.slice(path.length);
        next = node[1];
      }
      if (!Array.isArray(next)) break;
      node = next; // shorter than a hash: it lies within the one before
    }
    if (next === '0x') {
      assert.equal(index, nodes.length - 1, 'nodes behind the end');
      return null;
    }
  }
  assert.equal(nodes.length, 0, 'the proof ends too early');
  return null;
}
