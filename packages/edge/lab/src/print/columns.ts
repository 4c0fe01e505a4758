/**
 * Which columns a kind has and what stands in them: the server's table printers
 * (kubernetes/pkg/printers/internalversion/printers.go, 1.36). A kind that has no printer here has NAME and
 * AGE.
 * Not supported: printers of kinds that no manifest of a workload holds (see `OTHER`), and
 * additionalPrinterColumns of custom resources.
 */
import { ageText, type KubeObject, timeNs } from "@podwire/api"

export interface Column {
  readonly name: string
  /** Only with -o wide (priority 1). */
  readonly wide?: true
}

export interface View {
  readonly nowNs: number
  readonly wide: boolean
}

/** One kind's table; `cells` has a cell for every column, wide ones too. */
export interface Printer {
  readonly columns: ReadonlyArray<Column>
  readonly cells: (object: KubeObject, view: View) => ReadonlyArray<string>
}

/** Names of columns in order; those behind `|` are wide. */
export function printer<T extends KubeObject>(
  names: string, cells: (object: T, view: View) => ReadonlyArray<string | number>
): Printer {
  const [narrow, wide] = names.split("|") as [string, string | undefined]
  const list = (text: string) => text.split(",")
  return {
    columns: [
      ...list(narrow).map((name): Column => ({ name })),
      ...wide === undefined ? [] : list(wide).map((name): Column => ({ name, wide: true }))
    ],
    cells: (object, view) => cells(object as T, view).map(String)
  }
}

/** translateTimestampSince. */
export function since(time: string | undefined, { nowNs }: View): string {
  const atNs = time === undefined ? null : timeNs(time)
  return atNs === null ? "<unknown>" : ageText(nowNs - atNs)
}

export function age({ metadata }: KubeObject, view: View): string {
  return since(metadata.creationTimestamp, view)
}

/** The first three, and how many more (formatEndpoints and its kin). */
export function atMost(list: ReadonlyArray<string>, most: number, none: string): string {
  if (list.length === 0) return none
  const shown = list.slice(0, most).join(",")
  return list.length > most ? `${shown} + ${list.length - most} more...` : shown
}
