/**
 * CUBIC's two sums in integers: the window gained in a time, and the time in which a window is regained.
 * Times are in 1/1024 s (BICTCP_HZ), C is 41/1024 segments a second cubed over a round trip of 100 ms: RFC
 * 9438's 0.4.
 */

/** cube_rtt_scale: 1024 C. */
const SCALE = 410
/** cube_factor: 2^40 / SCALE. */
const FACTOR = 2_681_735_677
/** Numbers of 64 bits are in limbs of 22, whose products are exact. */
const LIMB = 0x40_0000

/**
 * First guesses of the cube root of n, 64-fold less 10, for n of six bits. Tuned so that one step of Newton's
 * does, not computed: the same numbers as Linux's, as other ones would move K by up to 0.2 percent.
 */
const GUESS = Uint8Array.of(
  0, 54, 54, 54, 118, 118, 118, 118, 123, 129, 134, 138, 143, 147, 151, 156,
  157, 161, 164, 168, 170, 173, 176, 179, 181, 185, 187, 190, 192, 194, 197, 199,
  200, 202, 204, 206, 209, 211, 213, 215, 217, 219, 221, 222, 224, 225, 227, 229,
  231, 232, 234, 236, 237, 239, 240, 242, 244, 245, 246, 248, 250, 251, 252, 254
)

/**
 * Segments gained `time` after the origin (or missing before): 410 time³ / 2^40, the product wrapping at
 * 2^64.
 */
export function gained(time: number): number {
  const low = time % LIMB
  const high = Math.floor(time / LIMB)
  let carry = low * low
  const s0 = carry % LIMB
  carry = Math.floor(carry / LIMB) + 2 * low * high
  const s1 = carry % LIMB
  const s2 = (Math.floor(carry / LIMB) + high * high) % LIMB
  carry = s0 * low
  const c0 = carry % LIMB
  carry = Math.floor(carry / LIMB) + s0 * high + s1 * low
  const c1 = carry % LIMB
  const c2 = (Math.floor(carry / LIMB) + s1 * high + s2 * low) % LIMB
  carry = Math.floor((c0 * SCALE) / LIMB) + c1 * SCALE
  const top = (Math.floor(carry / LIMB) + c2 * SCALE) % 0x10_0000
  return top * 16 + Math.floor((carry % LIMB) / 0x4_0000)
}

/** K: the time in which `segments` are gained. Exact for windows below three million segments, as Linux's. */
export function timeToGain(segments: number): number {
  return cubeRoot(FACTOR * segments)
}

/** cubic_root: a table's guess and one step of Newton's, 0.2 percent off on average. */
export function cubeRoot(a: number): number {
  if (a < 64) return (GUESS[a]! + 35) >>> 6
  const bits = a >= 0x1_0000_0000 ? 64 - Math.clz32(Math.floor(a / 0x1_0000_0000)) : 32 - Math.clz32(a)
  const thirds = ((bits * 84) >>> 8) - 1
  let top = a
  for (let i = 0; i < thirds; i++) top = Math.floor(top / 8)
  const guess = ((GUESS[top]! + 10) << thirds) >>> 6
  const sum = 2 * guess + Math.floor(a / (guess * (guess - 1)))
  return Math.floor((sum * 341) / 1024)
}
