// The proof check of EIP-4844's precompile, for the implementation that wants it handed in; by @noble/curves.
import { bls12_381 } from '@noble/curves/bls12-381.js'
import { hexToBytes } from '@ethereumjs/util'

const { G1, G2, pairing, fields } = bls12_381
const order = fields.Fr.ORDER

// [s] in G2: the second of the G2 powers that the ceremony of 2023 published.
const secret =
  'b5bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72' +
  '185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2'

function scalar(hex) {
  const value = BigInt(hex)
  if (value >= order) throw new Error('C_KZG_BADARGS')
  return value
}

function point(hex) {
  try {
    const out = G1.Point.fromBytes(hexToBytes(hex))
    out.assertValidity()
    return out
  } catch (problem) {
    const [first, ...rest] = hexToBytes(hex)
    if (first === 0xc0 && rest.every((byte) => byte === 0)) return G1.Point.ZERO
    throw new Error('C_KZG_BADARGS', { cause: problem })
  }
}

const times = (base, factor) => (factor === 0n ? base.constructor.ZERO : base.multiply(factor))
const pair = (p, q) => (p.is0() || q.is0() ? fields.Fp12.ONE : pairing(p, q))

// e(C - [y], [1]) = e(proof, [s - z])
function verifyProof(commitment, z, y, proof) {
  const left = point(commitment).subtract(times(G1.Point.BASE, scalar(y)))
  const right = G2.Point.fromHex(secret).subtract(times(G2.Point.BASE, scalar(z)))
  return fields.Fp12.eql(pair(left, G2.Point.BASE), pair(point(proof), right))
}

// Blob transactions want their library even where no blob is looked at.
export const kzg = { verifyProof, verifyBlobProofBatch: () => false }
