// Inputs of the precompiled contracts: such as they do their work on, and such as they must refuse.
import { bls12_381 } from '@noble/curves/bls12-381.js'
import { bn254 } from '@noble/curves/bn254.js'
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'

const bytesOf = (value, size) =>
  Buffer.from(
    BigInt(value)
      .toString(16)
      .padStart(2 * size, '0'),
    'hex',
  )
const word = (value) => bytesOf(value, 32)

function once(make) {
  let value
  return () => (value ??= make())
}

// The first multiples of a generator, and infinity; what is wrong with the last is that it is on no curve.
function points(Point, write) {
  const multiples = [1n, 2n, 3n, 0x1234567n, Point.Fn.ORDER - 1n].map((factor) => Point.BASE.multiply(factor))
  const out = multiples.map((point) => write(point.toAffine()))
  const infinity = Buffer.alloc(out[0].length)
  const wrong = Buffer.from(out[0])
  wrong[wrong.length - 1] ^= 1
  return [...out, ...out, infinity, wrong]
}

const bn254G1 = once(() => points(bn254.G1.Point, ({ x, y }) => Buffer.concat([word(x), word(y)])))
const bn254G2 = once(() => points(bn254.G2.Point, ({ x, y }) => Buffer.concat([x.c1, x.c0, y.c1, y.c0].map(word))))
const element = (value) => bytesOf(value, 64)
const blsG1 = once(() => points(bls12_381.G1.Point, ({ x, y }) => Buffer.concat([element(x), element(y)])))
const blsG2 = once(() => points(bls12_381.G2.Point, ({ x, y }) => Buffer.concat([x.c0, x.c1, y.c0, y.c1].map(element))))

const some = (random, most, make) => Buffer.concat(Array.from({ length: random.below(most + 1) }, make))

function ecrecover(random, keys) {
  const hash = Buffer.from(random.bytes(32))
  const signature = secp256k1.sign(hash, random.pick(keys), { prehash: false, format: 'recovered' })
  return Buffer.concat([hash, word(27n + BigInt(signature[0])), signature.subarray(1)])
}

function modexp(random) {
  const size = () =>
    random.weighted([
      [6, () => random.below(40)],
      [2, () => random.pick([0, 1, 7, 8, 9, 31, 32, 33, 63, 64, 65])],
      [1, () => random.below(300)],
    ])()
  const sizes = [size(), size(), size()]
  const operand = (length) =>
    random.weighted([
      [4, () => Buffer.from(random.bytes(length))],
      [1, () => Buffer.alloc(length)],
      [1, () => Buffer.alloc(length, 0xff)],
      [1, () => Buffer.concat([random.bytes(length >> 1), Buffer.alloc(length - (length >> 1))])],
    ])()
  // lengths up to the bound of EIP-7823 and beyond it, without the bytes
  const claimed = random.once(12) ? [random.below(2050), random.below(2050), random.below(2050)] : sizes
  return Buffer.concat([...claimed.map(word), ...sizes.map(operand)])
}

function blake2f(random) {
  const input = Buffer.from(random.bytes(213))
  input.writeUInt32BE(random.below(random.once(10) ? 3000 : 30), 0)
  input[212] = random.below(random.once(10) ? 3 : 2)
  return input
}

// P, Q and -P, Q among others, so that the product is one now and then.
function pairs(random, g1, g2, negative) {
  const out = []
  for (let i = random.below(3); i > 0; i--) {
    const [p, q] = [random.pick(g1), random.pick(g2)]
    out.push(p, q)
    if (random.once(2)) out.push(negative(p), q)
  }
  return Buffer.concat(out)
}

// (x, y) with y taken from the modulus; y = 0 stands for infinity
const negated = (modulus, size) => (point) => {
  const y = BigInt(`0x${point.subarray(size).toString('hex')}`)
  return Buffer.concat([point.subarray(0, size), bytesOf(y === 0n ? 0n : modulus - y, size)])
}

const groupOrder = bls12_381.fields.Fr.ORDER
const compressedInfinity = Buffer.concat([Buffer.from([0xc0]), Buffer.alloc(47)])

// The commitment to a constant polynomial is that multiple of the generator, and its proof infinity, anywhere.
function pointEvaluation(random) {
  const constant = BigInt(random.between(1, 5))
  const commitment = Buffer.from(bls12_381.G1.Point.BASE.multiply(constant).toBytes(true))
  const hash = Buffer.from(sha256(commitment))
  hash[0] = 1
  const z = random.once(8) ? groupOrder + BigInt(random.below(2)) : random.word() % groupOrder
  const y = random.once(6) ? constant + 1n : constant
  const proof = random.once(6) ? commitment : compressedInfinity
  return Buffer.concat([hash, word(z), word(y), commitment, proof])
}

function p256Verify(random) {
  const hash = Buffer.from(random.bytes(32))
  const key = word(BigInt(random.between(1, 1000)))
  const signature = p256.sign(hash, key, { prehash: false, lowS: false })
  return Buffer.concat([hash, signature, p256.getPublicKey(key, false).subarray(1)])
}

function fieldElement(random) {
  const value = random.once(6)
    ? bls12_381.fields.Fp.ORDER + BigInt(random.below(3)) - 1n
    : (random.word() * random.word()) % bls12_381.fields.Fp.ORDER
  return element(value)
}

const anything = (random) => Buffer.from(random.bytes(random.below(300)))
const scalar = (random) => word(random.word())

export const precompiles = {
  0x01: ecrecover,
  0x02: anything,
  0x03: anything,
  0x04: anything,
  0x05: modexp,
  0x06: (random) => Buffer.concat([random.pick(bn254G1()), random.pick(bn254G1())]),
  0x07: (random) => Buffer.concat([random.pick(bn254G1()), scalar(random)]),
  0x08: (random) => pairs(random, bn254G1(), bn254G2(), negated(bn254.fields.Fp.ORDER, 32)),
  0x09: blake2f,
  0x0a: pointEvaluation,
  0x0b: (random) => Buffer.concat([random.pick(blsG1()), random.pick(blsG1())]),
  0x0c: (random) => some(random, 3, () => Buffer.concat([random.pick(blsG1()), scalar(random)])),
  0x0d: (random) => Buffer.concat([random.pick(blsG2()), random.pick(blsG2())]),
  0x0e: (random) => some(random, 2, () => Buffer.concat([random.pick(blsG2()), scalar(random)])),
  0x0f: (random) => pairs(random, blsG1(), blsG2(), negated(bls12_381.fields.Fp.ORDER, 64)),
  0x10: fieldElement,
  0x11: (random) => Buffer.concat([fieldElement(random), fieldElement(random)]),
  0x100: p256Verify,
}

// Those that cost JavaScript much time come seldom.
const chances = Object.keys(precompiles).map((number) => [[0x08, 0x0a, 0x0f].includes(Number(number)) ? 1 : 3, number])

export const randomPrecompile = (random) => Number(random.weighted(chances))

// An input for a precompile; one in six is spoilt: cut, lengthened, or with a changed bit.
export function inputOf(random, number, keys) {
  const input = precompiles[number](random, keys)
  if (!random.once(6)) return input
  if (input.length === 0 || random.once(3)) return Buffer.concat([input, random.bytes(random.between(1, 40))])
  if (random.once(2)) return input.subarray(0, random.below(input.length))
  const changed = Buffer.from(input)
  changed[random.below(changed.length)] ^= 1 << random.below(8)
  return changed
}
