/**
 * Questions to one frame, composed when a filter is compiled. A read beyond the frame ends the whole filter with
 * "no", also under `not`, as the BPF machine does: a test therefore has three answers.
 */
import { get16, get32 } from "../bytes.ts"

export const NO = 0
export const YES = 1
export const CUT = 2
export type Test = (bytes: Uint8Array, at: number, end: number) => 0 | 1 | 2

export function byteIs(offset: number, value: number, mask = 0xff): Test {
  return (bytes, at, end) => at + offset >= end ? CUT : (bytes[at + offset]! & mask) === value ? YES : NO
}

export function halfIs(offset: number, value: number, mask = 0xffff): Test {
  return (bytes, at, end) => at + offset + 2 > end ? CUT : (get16(bytes, at + offset) & mask) === value ? YES : NO
}

export function wordIs(offset: number, value: number, mask = -1): Test {
  const wanted = value | 0
  return (bytes, at, end) => at + offset + 4 > end ? CUT : (get32(bytes, at + offset) & mask) === wanted ? YES : NO
}

export function and(first: Test, ...rest: ReadonlyArray<Test>): Test {
  return rest.reduce((a, b) => (bytes, at, end) => {
    const answer = a(bytes, at, end)
    return answer === YES ? b(bytes, at, end) : answer
  }, first)
}

export function or(first: Test, ...rest: ReadonlyArray<Test>): Test {
  return rest.reduce((a, b) => (bytes, at, end) => {
    const answer = a(bytes, at, end)
    return answer === NO ? b(bytes, at, end) : answer
  }, first)
}

export function not(test: Test): Test {
  return (bytes, at, end) => {
    const answer = test(bytes, at, end)
    return answer === CUT ? CUT : answer === YES ? NO : YES
  }
}
