/**
 * What scalars mean. Each row was seen with kubectl 1.32.4 (`kubectl label --local -f FILE zz=b -o json`, whose
 * reader is sigs.k8s.io/yaml over go.yaml.in/yaml/v2), and agrees with resolve.go there; the last table holds
 * the rows where this reader refuses what kubectl loses.
 */
import { expect, it } from "vitest"
import { key, scalar } from "./read.ts"

const table = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => line.split(/ => /) as [string, string])
const rendered = (rows: ReadonlyArray<readonly [string, string]>, of: (text: string) => string) =>
  rows.map(([text]) => `${text} => ${of(text)}`).join("\n")

function holds(text: string, of: (text: string) => string) {
  expect(rendered(table(text), of)).toBe(
    table(text)
      .map((row) => row.join(" => "))
      .join("\n")
  )
}

it("booleans and nulls are spelt as go-yaml's resolve map spells them", () => {
  for (const word of "y Y yes Yes YES true True TRUE on On ON".split(" "))
    expect(`${word} ${scalar(word)}`).toBe(`${word} true`)
  for (const word of "n N no No NO false False FALSE off Off OFF".split(" "))
    expect(`${word} ${scalar(word)}`).toBe(`${word} false`)
  for (const word of ["~", "null", "Null", "NULL", ""]) expect(`${word} ${scalar(word)}`).toBe(`${word} null`)
  for (const word of "yES tRUE oN oFF nULL ye nope offer".split(" "))
    expect(scalar(word)).toBe(JSON.stringify(word))
  for (const word of ["yes", "null", "5", "~", "<<"]) expect(scalar(`"${word}"`)).toBe(JSON.stringify(word))
})

it("numbers are read as strconv reads them with base 0, underscores gone", () => {
  holds(
    `
017 => 15
0o17 => 15
0O17 => 15
0b1111 => 15
0B1 => 1
0xf => 15
0XF => 15
0x_f => 15
+15 => 15
-15 => -15
-0o17 => -15
-017 => -15
+0b1 => 1
0b+1 => 1
0b-1 => -1
-0b+1 => "-0b+1"
00 => 0
0_7 => 7
08 => 8
09.5 => 9.5
1_000 => 1000
1__5 => 15
_1 => "_1"
0x => "0x"
0o8 => "0o8"
0b2 => "0b2"
1e3 => 1000
1E3 => 1000
1e+3 => 1000
1. => 1
1.e3 => 1000
.5 => 0.5
-.5 => -0.5
+.5 => 0.5
.5_0 => 0.5
.5__0 => ".5__0"
._5 => "._5"
.5_ => ".5_"
1_0.5 => 10.5
1e1_0 => 10000000000
3.0 => 3
-0 => 0
-0.0 => 0
1e-7 => 1e-7
1e400 => "1e400"
-1e400 => "-1e400"
.e3 => ".e3"
. => "."
.. => ".."
1e => "1e"
0x1p3 => "0x1p3"
0xg => "0xg"
12:30:45 => "12:30:45"
2024-01-01 => "2024-01-01"
2024-01-01 10:00:00 => "2024-01-01 10:00:00"
1.2.3 => "1.2.3"
100m => "100m"
64Mi => "64Mi"
9007199254740991 => 9007199254740991
9223372036854775808 => 9223372036854776000
18446744073709551615 => 18446744073709552000
99999999999999999999 => 100000000000000000000
0xFFFFFFFFFFFFFFFF => 18446744073709552000
0xFFFFFFFFFFFFFFFFF => "0xFFFFFFFFFFFFFFFFF"
1e21 => 1e+21
--- => "---"
-a => "-a"
:a => ":a"
?a => "?a"
`,
    scalar
  )
})

it("keys become the strings that sigs.k8s.io/yaml makes of them", () => {
  holds(
    `
n => "false"
yes => "true"
OFF => "false"
3 => "3"
017 => "15"
0x10 => "16"
1.10 => "1.1"
1e3 => "1000"
1e6 => "1e+06"
1e7 => "1e+07"
1e22 => "1e+22"
1.5e-5 => "1.5e-05"
1e-4 => "0.0001"
1.23456789 => "1.2345679"
123456789.5 => "1.2345679e+08"
1e39 => ".inf"
-0 => "0"
-0.0 => "-0"
.inf => ".inf"
-.inf => "-.inf"
.nan => ".nan"
9223372036854775807 => "9223372036854775807"
2024-01-01 => "2024-01-01"
"n" => "n"
~ => found null as a key, expected a string; put the key in quotes
18446744073709551615 => found 18446744073709551615 as a key, expected a string; put the key in quotes
[a] => found a list as a key, expected a string; put the key in quotes
{a: b} => found a mapping as a key, expected a string; quote it; a Helm template must be rendered first: helm template
`,
    key
  )
})

it("tags convert, or say why not", () => {
  holds(
    `
!!str 5 => "5"
! 5 => "5"
!!str => ""
!!int "3" => 3
!!bool "yes" => true
!!float 3 => 3
!!float 0x10 => 16
!!null ~ => null
!!timestamp 2024-01-01 => "2024-01-01"
!!binary aGVsbG8= => "hello"
!<tag:yaml.org,2002:int> 5 => 5
!!map {a: b} => {"a":"b"}
!!seq [a] => ["a"]
!!set {x, y} => {"x":null,"true":null}
!!int x => cannot read !!int on "x", which is a string; remove the tag or change the value
!!int 1e3 => cannot read !!int on "1e3", which is a number; remove the tag or change the value
!!null x => cannot read !!null on "x", which is a string; remove the tag or change the value
!!bool 1 => cannot read !!bool on "1", which is an integer; remove the tag or change the value
!!timestamp x => cannot read !!timestamp on "x", which is a string; remove the tag or change the value
!!binary '*' => cannot read !!binary on what is not base64; remove the tag or change the value
`,
    scalar
  )
})

it("refuses what would lose or change a value", () => {
  holds(
    `
.inf => JSON and Kubernetes have no number .inf; put it in quotes if the text is meant
-.INF => JSON and Kubernetes have no number -.INF; put it in quotes if the text is meant
.nan => JSON and Kubernetes have no number .nan; put it in quotes if the text is meant
9007199254740993 => an integer beyond ±9007199254740991, whose last digits would be lost, found 9007199254740993; put it in quotes if its text is meant
-9223372036854775808 => an integer beyond ±9007199254740991, whose last digits would be lost, found -9223372036854775808; put it in quotes if its text is meant
!vault x => unknown tag !vault; remove it; tags of other tools mean nothing to Kubernetes
!Ref {a: b} => unknown tag !Ref; remove it; tags of other tools mean nothing to Kubernetes
!!python/none x => unknown tag !!python/none; remove it; tags of other tools mean nothing to Kubernetes
"\\ud83d" => an escape names half of a surrogate pair; write the character itself, or \\U and eight digits
`,
    scalar
  )
})

it("texts fold and escape", () => {
  holds(
    `
"\\x41\\u0042\\U0001f600\\t\\e" => "AB😀\\t\\u001b"
'it''s' => "it's"
a #c => "a"
a#c => "a#c"
{a:b} => {"a:b":null}
{"a":b} => {"a":"b"}
{a: b, c} => {"a":"b","c":null}
[a: b] => [{"a":"b"}]
[http://x, a:b, ] => ["http://x","a:b"]
`,
    scalar
  )
  expect(scalar("|\n   a\n   b")).toBe('"a\\nb\\n"')
  expect(scalar(">-\n   a\n   b\n\n   c")).toBe('"a b\\nc"')
  expect(scalar("|2\n    a")).toBe('"  a\\n"')
  expect(scalar("|+\n   a\n\n")).toBe('"a\\n\\n\\n"')
  expect(scalar('"a\nb"')).toBe('"a b"')
})
