import { expect, it } from "vitest"
import { HZ, jiffiesAt, JIFFY_NS, JIFFY_US, usToJiffies } from "../src/jiffies.ts"

it("a jiffy is 4 ms; moments are rounded down, spans up", () => {
  expect([HZ, JIFFY_NS, JIFFY_US]).toEqual([250, 4_000_000, 4000])
  expect([0, 3_999_999, 4_000_000, 1e9].map(jiffiesAt)).toEqual([0, 0, 1, 250])
  expect([0, 1, 4000, 4001, 200_000].map(usToJiffies)).toEqual([0, 1, 1, 2, 50])
})
