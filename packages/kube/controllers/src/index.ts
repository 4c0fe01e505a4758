export { type Change, type Controller, NOTHING, type ObjectEvent, type Outcome, type View } from "./controller.ts"
export { Runner } from "./runner.ts"
