/**
 * How the engine compiles the walk of a frame: one road of small functions, which V8's usual budget for inlining cuts
 * in two (a sixth of the time of a forwarded frame: `podwire bench known-flow`). Set before anything is hot. Only for
 * our own process: whoever uses the library decides on his own.
 */
import { setFlagsFromString } from "node:v8"

export const V8_FLAGS: ReadonlyArray<string> = ["--max-inlined-bytecode-size-cumulative=4000"]

V8_FLAGS.forEach((flag) => setFlagsFromString(flag))
