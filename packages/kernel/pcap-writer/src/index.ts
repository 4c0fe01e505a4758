export type { ByteSink } from "./block.ts"
export { PcapWriter } from "./pcap.ts"
export {
  type InterfaceOptions, LINKTYPE_ETHERNET, type PacketOptions, PcapngWriter, type SectionOptions, TLS_KEY_LOG
} from "./pcapng.ts"
