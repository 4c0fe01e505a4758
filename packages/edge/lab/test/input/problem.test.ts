import * as Runtime from "effect/Runtime"
import { getUserMessage } from "effect/cli/CliError"
import {
  InputError,
  makeProblem,
  renderPath,
  renderProblems
} from "@podwire/lab/input/index"
import { expect, it } from "vitest"

it("paths print as kubectl prints them", () => {
  expect(
    [
      [],
      ["spec", "template", "spec", "containers", 0, "ports", 1, "containerPort"],
      ["metadata", "labels", "app.kubernetes.io/name"],
      ["a-b", "$c"],
      ["items", 3],
      ["", "a b"],
      ["a]b"],
      ["a\nb"],
      ["0"]
    ].map(renderPath)
  ).toEqual([
    "",
    "spec.template.spec.containers[0].ports[1].containerPort",
    "metadata.labels[app.kubernetes.io/name]",
    "a-b.$c",
    "items[3]",
    '[""]["a b"]',
    '["a]b"]',
    '["a\\nb"]',
    "[0]"
  ])
})

it("lines are sorted, of one line each, and at most fifty", () => {
  const at = (file: string, line: number, column: number) =>
    makeProblem(file, { line, column }, ["a"], { what: "w", found: "1", expected: "2", remedy: "do" })
  expect(
    renderProblems([
      at("b", 1, 1),
      at("a", 10, 1),
      at("a", 2, 9),
      at("a", 2, 3),
      makeProblem("a", null, [], { what: "x\u001b[31m\ny" })
    ])
  ).toBe(`\
a: x\\x1b[31m\\x0ay
a:2:3: a: w, found 1, expected 2; do
a:2:9: a: w, found 1, expected 2; do
a:10:1: a: w, found 1, expected 2; do
b:1:1: a: w, found 1, expected 2; do`)
  const many = renderProblems(Array.from({ length: 53 }, (_, i) => at("f", i + 1, 1))).split("\n")
  expect(many).toHaveLength(51)
  expect(many.at(-1)).toBe("… and 3 more")
})

it("the error is for people and exits with 2", () => {
  const error = new InputError({ problems: [makeProblem("f", { line: 1, column: 2 }, [], { what: "bad" })] })
  expect([error._tag, error.message, getUserMessage(error), error[Runtime.errorExitCode]]).toEqual([
    "InputError",
    "f:1:2: bad",
    "f:1:2: bad",
    2
  ])
})
