/**
 * The least of the values of a while, in constant space (Kathleen Nichols' filter, lib/win_minmax.c): the
 * best, the best after it and the best after that. When the window has passed the best, the next takes its
 * place. Never below the true least, and exact unless the values rise for a whole window. Time only goes on.
 * TCP keeps min_rtt in one, in jiffies over tcp_min_rtt_wlen (300 s).
 */
export const NOTHING = 0xffff_ffff

export class MinFilter {
  #v0 = NOTHING
  #v1 = NOTHING
  #v2 = NOTHING
  #t0 = 0
  #t1 = 0
  #t2 = 0

  /** NOTHING (4294967295, as tcp_min_rtt) before the first value. */
  get min(): number {
    return this.#v0
  }

  /** minmax_reset: forgets all. */
  reset(at: number, value: number = NOTHING): void {
    this.#v0 = this.#v1 = this.#v2 = value
    this.#t0 = this.#t1 = this.#t2 = at
  }

  /** minmax_running_min; `window` and `at` in one unit, whichever. */
  update(window: number, at: number, value: number): void {
    if (value <= this.#v0 || at - this.#t2 > window) {
      this.reset(at, value)
      return
    }
    if (value <= this.#v1) this.#second(at, value)
    else if (value <= this.#v2) this.#third(at, value)
    this.#age(window, at, value)
  }

  /** minmax_subwin_update: the three must stand apart in time. */
  #age(window: number, at: number, value: number): void {
    const age = at - this.#t0
    if (age > window) {
      this.#shift(at, value)
      if (at - this.#t0 > window) this.#shift(at, value)
    } else if (this.#t1 === this.#t0 && age > Math.floor(window / 4)) this.#second(at, value)
    else if (this.#t2 === this.#t1 && age > Math.floor(window / 2)) this.#third(at, value)
  }

  #shift(at: number, value: number): void {
    this.#v0 = this.#v1
    this.#t0 = this.#t1
    this.#v1 = this.#v2
    this.#t1 = this.#t2
    this.#third(at, value)
  }

  #second(at: number, value: number): void {
    this.#v1 = value
    this.#t1 = at
    this.#third(at, value)
  }

  #third(at: number, value: number): void {
    this.#v2 = value
    this.#t2 = at
  }
}
