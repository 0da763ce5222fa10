// Pseudo-random numbers from a seed: the same seed gives the same case on every machine.
// The generator is splitmix64 in its published form (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators).
const mask64 = (1n << 64n) - 1n

export class Random {
  constructor(seed) {
    this.state = BigInt(seed) & mask64
  }

  bits64() {
    this.state = (this.state + 0x9e3779b97f4a7c15n) & mask64
    let z = this.state
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask64
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask64
    return z ^ (z >> 31n)
  }

  // 0 to limit - 1
  below(limit) {
    return Number(this.bits64() >> 11n) % limit
  }

  between(low, high) {
    return low + this.below(high - low + 1)
  }

  // true once in `times` on average
  once(times) {
    return this.below(times) === 0
  }

  pick(list) {
    return list[this.below(list.length)]
  }

  // list: [weight, value] pairs
  weighted(list) {
    let at = this.below(list.reduce((sum, [weight]) => sum + weight, 0))
    for (const [weight, value] of list) {
      if (at < weight) return value
      at -= weight
    }
    throw new Error('weights must be positive')
  }

  bytes(size) {
    const out = new Uint8Array(size)
    for (let i = 0; i < size; i++) out[i] = this.below(256)
    return out
  }

  // A 256-bit word of the kinds that arithmetic goes wrong with.
  word() {
    const ones = (1n << 256n) - 1n
    return this.weighted([
      [8, () => BigInt(this.below(5))],
      [4, () => BigInt(this.below(300))],
      [3, () => 1n << BigInt(this.below(256))],
      [3, () => (1n << BigInt(this.between(1, 256))) - 1n],
      [2, () => ones - BigInt(this.below(4))],
      [2, () => (1n << 255n) + BigInt(this.below(3)) - 1n],
      [2, () => this.bits64()],
      [3, () => this.bytes(this.between(1, 32)).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)],
    ])()
  }
}
