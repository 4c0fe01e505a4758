/**
 * Why a line of text is refused, in the words of `iptables-restore` where it has some. Caught by
 * `restore.ts`.
 */
export class RuleError extends Error {}
