/**
 * The numbers of draft-ietf-opsawg-pcapng and draft-ietf-opsawg-pcap that writer and reader share,
 * named as in the drafts.
 */

export const SECTION_HEADER = 0x0a0d0d0a
export const INTERFACE_DESCRIPTION = 1
export const SIMPLE_PACKET = 3
export const NAME_RESOLUTION = 4
export const INTERFACE_STATISTICS = 5
export const ENHANCED_PACKET = 6
export const DECRYPTION_SECRETS = 0xa

/** Written in the section's own byte order, so that it tells it. */
export const BYTE_ORDER_MAGIC = 0x1a2b3c4d

export const OPT_ENDOFOPT = 0
export const OPT_COMMENT = 1
export const SHB_HARDWARE = 2
export const SHB_OS = 3
export const SHB_USERAPPL = 4
export const IDB_NAME = 2
export const IDB_DESCRIPTION = 3
export const IDB_MAC = 6
export const IDB_SPEED = 8
export const IDB_TSRESOL = 9
export const IDB_TSOFFSET = 14
export const EPB_FLAGS = 2
export const EPB_DROPCOUNT = 4
export const EPB_PACKETID = 5
export const EPB_VERDICT = 7
export const ISB_STARTTIME = 2
export const ISB_ENDTIME = 3
export const ISB_IFRECV = 4
export const ISB_IFDROP = 5
export const ISB_FILTERACCEPT = 6
export const ISB_OSDROP = 7
export const ISB_USRDELIV = 8
export const NRB_RECORD_IPV4 = 1
export const NRB_RECORD_IPV6 = 2

/** A decryption secrets block holds an NSS key log, as SSLKEYLOGFILE names. */
export const TLS_KEY_LOG = 0x544c534b
export const LINKTYPE_ETHERNET = 1
export const LINKTYPE_RAW = 101

/** epb_flags: bits 0 and 1. */
export const DIRECTION_IN = 1
export const DIRECTION_OUT = 2
/** epb_flags: the checksum is left to hardware and stands unfinished in the bytes. */
export const CHECKSUM_NOT_READY = 1 << 9

/** The first octet of epb_verdict: who gave it. */
export const VERDICT_HARDWARE = 0
export const VERDICT_TC = 1
export const VERDICT_XDP = 2

export const PCAP_MICROSECONDS = 0xa1b2c3d4
export const PCAP_NANOSECONDS = 0xa1b23c4d
export const PCAP_HEADER_BYTES = 24
export const PCAP_RECORD_BYTES = 16

export const SECOND_NS = 1_000_000_000
export const TWO_32 = 0x1_0000_0000
