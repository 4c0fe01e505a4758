/** tcpdump's filter language: text in, a question to frames out. */
export { compileFilter, type FrameFilter, startsFilter } from "./filter/compile.ts"
