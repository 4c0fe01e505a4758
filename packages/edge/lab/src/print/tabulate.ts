/**
 * Rows as kubectl aligns them (cli-runtime GetNewTabWriter): cells at least six wide with three spaces behind
 * the longest, the last cell as it is; a cell ends at its first line break.
 */
const WIDTH_MIN = 6
const PADDING = 3

export function tabulate(rows: ReadonlyArray<ReadonlyArray<string>>): string {
  const widths: Array<number> = []
  const cells = rows.map((row) => row.map(firstLine))
  for (const row of cells) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? WIDTH_MIN, charCount(cell) + PADDING)
    })
  }
  return cells.map((row) =>
    `${row.map((cell, i) => (i === row.length - 1 ? cell : pad(cell, widths[i]!))).join("")}\n`).join("")
}

function firstLine(text: string): string {
  const at = text.search(/[\f\n\r]/)
  return at < 0 ? text : `${text.slice(0, at)}...`
}

function pad(cell: string, width: number): string {
  return cell + " ".repeat(width - charCount(cell))
}

function charCount(text: string): number {
  return [...text].length
}
