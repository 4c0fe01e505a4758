/** tcpdump's filter language. Not supported yet: anything but the empty filter. */
export type FrameFilter = (bytes: Uint8Array, at: number, end: number) => boolean

export function compileFilter(text: string): FrameFilter | string {
  return text.trim() === "" ? () => true : `filter ${JSON.stringify(text)}: not supported yet`
}
