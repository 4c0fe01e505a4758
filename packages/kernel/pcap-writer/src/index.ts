export type { BufferOptions, ByteSink } from "./block.ts"
export type {
  Fault, FaultCode, Interface, InterfaceStatistics, Item, Names, Packet, Secrets, Section, Skipped
} from "./capture-file.ts"
export {
  CHECKSUM_NOT_READY, DIRECTION_IN, DIRECTION_OUT, LINKTYPE_ETHERNET, LINKTYPE_RAW, TLS_KEY_LOG,
  VERDICT_HARDWARE, VERDICT_TC, VERDICT_XDP
} from "./codes.ts"
export { type PcapOptions, PcapWriter } from "./pcap.ts"
export {
  type InterfaceOptions, type NamedAddress, type PacketOptions, PcapngWriter, type SectionOptions,
  type Statistics, type Verdict
} from "./pcapng.ts"
export { type CaptureFile, readCapture, readItems } from "./reader.ts"
