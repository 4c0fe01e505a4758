/** How much of a chunk that was written in part can stay: whole blocks or records, in our own byte order. */

const PCAP_HEADER_BYTES = 24
const PCAP_RECORD_BYTES = 16
const BLOCK_BYTES_MIN = 12

/** `first` when the chunk begins the file: the classic format has a header there. */
export function wholeBytes(
  format: "pcapng" | "pcap", chunk: Uint8Array, done: number, first: boolean
): number {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  let at = 0
  if (format === "pcap" && first) {
    if (done < PCAP_HEADER_BYTES) return 0
    at = PCAP_HEADER_BYTES
  }
  const header = format === "pcap" ? PCAP_RECORD_BYTES : BLOCK_BYTES_MIN
  while (at + header <= done) {
    const length = format === "pcap"
      ? PCAP_RECORD_BYTES + view.getUint32(at + 8, true)
      : view.getUint32(at + 4, true)
    if (length < header || at + length > done) break
    at += length
  }
  return at
}
