/**
 * A broken invariant is a bug in Podwire, never a user's mistake: it ends the run at once.
 * The edge adds the seed and the line that reruns it.
 */
export class Bug extends Error {
  override readonly name = "Bug"
}

export function assert(holds: boolean, invariant: string): asserts holds {
  if (!holds) throw new Bug(invariant)
}
