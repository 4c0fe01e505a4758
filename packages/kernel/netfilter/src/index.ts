export {
  FORWARD, type Hook, type HookOps, type HookState, HookTable, INPUT, OUTPUT, POSTROUTING, PREROUTING
} from "./hook.ts"
export { Priority } from "./priority.ts"
export { Verdict } from "./verdict.ts"
