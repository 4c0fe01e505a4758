export { Bridge, BridgePort, PORTS_MAX } from "./bridge.ts"
export { Cable } from "./cable.ts"
export {
  type CarrierListener, DETACHED, type DeviceStats, NetDevice, type RxHandler, type TagHandler, tooLongFor, type Upper
} from "./device.ts"
export { DROP_REASON_COUNT, DropReason, dropReasonName } from "./drop-reason.ts"
export { Dummy } from "./dummy.ts"
export { Errno, errnoName, strerror } from "./errno.ts"
export { Fdb, type FdbEntry, FdbKind, LEARNED_MAX, NO_PORT } from "./fdb.ts"
export { Checksum, Frame, HEADROOM_BYTES, PacketType } from "./frame.ts"
export { firstDifference, Journal } from "./journal.ts"
export { isPlain, Link, type LinkSpec, type LinkStats, PERFECT, specFault } from "./link.ts"
export { Loopback, LOOPBACK_MTU } from "./loopback.ts"
export { Nic, type Wire } from "./nic.ts"
export {
  completeChecksum, completeCopy, completeWired, findOpen, OpenChecksum, whole as wholeChecksum
} from "./partial.ts"
export { type DropObserver, FramePool } from "./pool.ts"
export { Segment } from "./segment.ts"
export { addTap, Direction, removeTap, type Tap, Taps } from "./tap.ts"
export { Veth } from "./veth.ts"
export { Vlan, type VlanProtocol } from "./vlan.ts"
