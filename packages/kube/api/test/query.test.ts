import {
  badSelector, type KubeObject, matchesFields, matchesLabels, matchesQuery, parseFieldQuery, parseLabelQuery
} from "@podwire/api"
import fc from "fast-check"
import { expect, it } from "vitest"

const labels = { app: "web", tier: "front", n: "5", empty: "" }

it.each([
  ["", true], ["app", true], ["!app", false], ["app=web", true], ["app==web", true], ["app!=web", false], ["x!=web", true],
  ["app in (web, api)", true], ["app notin (web)", false], ["x notin (web)", true], ["app=web,tier=front", true],
  ["app=web,tier=back", false], ["! x , app in(web)", true], ["n>4", true], ["n<4", false], ["app>4", false], ["empty=", true],
  ["app=", false], ["empty in ()", true], ["app in (,web)", true], ["empty in (,x)", true], ["empty in (x,)", true],
  ["empty in (x,,y)", true], ["empty in (x,y)", false], ["in=x", false], ["app=in", false], ["x in (in,notin)", false],
  ["empty,app", true]
])("-l %j", (text, expected) => {
  const query = parseLabelQuery(text)
  expect(typeof query === "string" ? query : matchesQuery(query, labels)).toBe(expected)
})

it.each([
  ["a in", "unable to parse requirement: found '' expected: '('"],
  ["a in b", "unable to parse requirement: found 'b' expected: '('"],
  ["a in (b", "unable to parse requirement: found '', expected: ',' or ')'"],
  ["a in (b c)", "unable to parse requirement: found 'c', expected: ',' or ')'"],
  ["a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
  ["a=b c", "found 'c', expected: ',' or 'end of string'"],
  ["a,", "found '', expected: identifier after ','"],
  ["=a", "found '=', expected: !, identifier, or 'end of string'"],
  ["!", "unable to parse requirement: found '', expected: identifier"],
  ["a=(", "unable to parse requirement: found '(', expected: identifier"],
  ["n>x", `unable to parse requirement: values[0]: Invalid value: "x": for 'Gt', 'Lt' operators, the value must be an integer`],
  ["a/b/c", "unable to parse requirement: <nil>: Invalid value: \"a/b/c\": a valid label key must consist of alphanumeric " +
    "characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or " +
    "'123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain " +
    "prefix and '/' (e.g. 'example.com/MyName')"]
])("-l %j is refused as kubectl does", (text, expected) => {
  expect(parseLabelQuery(text)).toBe(expected)
  expect(badSelector(text, expected)).toBe(`error: the provided selector ${JSON.stringify(text)} is not valid: ${expected}`)
})

it("no text throws", () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(..."ab =!(),<>innot/.-\t") }), (text) => {
    const query = parseLabelQuery(text)
    if (typeof query !== "string") matchesQuery(query, labels)
    parseFieldQuery(text, "Pod")
  }), { seed: 7, numRuns: 2000 })
})

const word = fc.constantFrom("a", "b", "c")
const expression = fc.record({
  key: word, operator: fc.constantFrom("In", "NotIn", "Exists", "DoesNotExist"),
  values: fc.array(word, { minLength: 1, maxLength: 2 })
})
const words = { In: "in", NotIn: "notin" } as Readonly<Record<string, string>>

it("a LabelSelector, its text behind -l, and a naive reading agree", () => {
  const set = fc.dictionary(word, word, { maxKeys: 3, noNullPrototype: true })
  fc.assert(fc.property(fc.array(expression, { maxLength: 3 }), set, set, (matchExpressions, matchLabels, labels) => {
    const naive = Object.entries(matchLabels).every(([k, v]) => labels[k] === v) &&
      matchExpressions.every(({ key, operator, values }) =>
        operator === "Exists" ? key in labels : operator === "DoesNotExist" ? !(key in labels)
        : (key in labels && values.includes(labels[key]!)) === (operator === "In"))
    expect(matchesLabels({ matchExpressions, matchLabels }, labels)).toBe(naive)
    const text = [
      ...Object.entries(matchLabels).map(([k, v]) => `${k}=${v}`),
      ...matchExpressions.map(({ key, operator, values }) => operator === "Exists" ? key : operator === "DoesNotExist"
        ? `!${key}` : `${key} ${words[operator]} (${values.join(",")})`)
    ].join(",")
    const query = parseLabelQuery(text)
    expect(typeof query === "string" ? query : matchesQuery(query, labels)).toBe(naive)
  }), { seed: 7, numRuns: 1000 })
})

it("selects everything with an empty selector and nothing without one", () => {
  expect(matchesLabels({}, {})).toBe(true)
  expect(matchesLabels(undefined, {})).toBe(false)
  expect(matchesLabels({ matchLabels: { constructor: "x" } }, {})).toBe(false)
  expect(matchesLabels({ matchExpressions: [{ key: "toString", operator: "Exists" }] }, {})).toBe(false)
})

const pod = {
  apiVersion: "v1", kind: "Pod", metadata: { name: "web", namespace: "shop" }, spec: { nodeName: "node1" },
  status: { phase: "Running", podIPs: [{ ip: "10.244.0.5" }, { ip: "fd00::5" }] }
} as KubeObject

it.each([
  ["metadata.name=web", true], ["metadata.namespace!=shop", false], ["spec.nodeName==node1,status.phase=Running", true],
  ["status.phase!=Running", false], ["spec.hostNetwork=false", true], ["status.podIPs=10.244.0.5\\,fd00::5", true],
  ["spec.schedulerName=", true], ["", true],
  ["spec.color=red", "field label not supported: spec.color"],
  ["metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
  ["metadata.name=a=b", "invalid field selector: unescaped character in value: 61"]
])("--field-selector %j", (text, expected) => {
  const query = parseFieldQuery(text, "Pod")
  expect(typeof query === "string" ? query : matchesFields(query, pod)).toBe(expected)
})
