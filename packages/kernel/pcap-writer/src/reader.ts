/**
 * Captures, read: the format and byte order are told by the first bytes. Nothing here throws, whatever the
 * bytes; what ends the reading early is the last item, a fault with a name and an offset.
 */
import type {
  Fault, Interface, InterfaceStatistics, Item, Names, Packet, Secrets, Section, Skipped
} from "./capture-file.ts"
import { fault } from "./capture-file.ts"
import { PCAP_MICROSECONDS, PCAP_NANOSECONDS, SECTION_HEADER } from "./codes.ts"
import { u32 } from "./field.ts"
import { readPcap } from "./read-pcap.ts"
import { readPcapng } from "./read-pcapng.ts"

export interface CaptureFile {
  readonly format: "pcap" | "pcapng" | null
  readonly sections: ReadonlyArray<Section>
  readonly interfaces: ReadonlyArray<Interface>
  readonly packets: ReadonlyArray<Packet>
  readonly names: ReadonlyArray<Names>
  readonly statistics: ReadonlyArray<InterfaceStatistics>
  readonly secrets: ReadonlyArray<Secrets>
  readonly skipped: ReadonlyArray<Skipped>
  /** Null when everything was read. */
  readonly fault: Fault | null
}

function formatOf(bytes: Uint8Array): { readonly format: "pcap" | "pcapng"; readonly big: boolean } | null {
  if (bytes.length < 4) return null
  for (const big of [false, true]) {
    const magic = u32(bytes, 0, big)
    if (magic === SECTION_HEADER) return { format: "pcapng", big: false }
    if (magic === PCAP_MICROSECONDS || magic === PCAP_NANOSECONDS) return { format: "pcap", big }
  }
  return null
}

/** The items of a capture one after the other, so that a large one is never held as records. */
export function* readItems(bytes: Uint8Array): Generator<Item> {
  const found = formatOf(bytes)
  if (found === null) {
    yield bytes.length < 4
      ? fault("Truncated", 0, `${bytes.length} bytes, a capture begins with four`)
      : fault("NotACapture", 0, `the first bytes are ${u32(bytes, 0, true).toString(16).padStart(8, "0")}`)
  } else if (found.format === "pcap") yield* readPcap(bytes, found.big)
  else yield* readPcapng(bytes)
}

/** Everything in a capture. */
export function readCapture(bytes: Uint8Array): CaptureFile {
  const all = [...readItems(bytes)]
  const of = <K extends Item["kind"]>(kind: K) =>
    all.filter((item): item is Extract<Item, { readonly kind: K }> => item.kind === kind)
  return {
    format: formatOf(bytes)?.format ?? null, sections: of("section"), interfaces: of("interface"),
    packets: of("packet"), names: of("names"), statistics: of("statistics"), secrets: of("secrets"),
    skipped: of("skipped"), fault: of("fault")[0] ?? null
  }
}
