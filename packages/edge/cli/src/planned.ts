/** Commands that are promised and not built yet: said so, rather than taken for a slip of the pen. */
export const PLANNED: ReadonlyArray<string> = ["describe", "diff", "export", "lint", "prove", "rules", "trace"]
