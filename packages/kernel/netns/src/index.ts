export { Address, type AddressOptions, type Scope } from "./address.ts"
export {
  type Route, type RouteProtocol, type RouteType, TABLE_DEFAULT, TABLE_LOCAL, TABLE_MAIN
} from "./fib.ts"
export { LinkTable } from "./link-table.ts"
export { type Neighbour, NeighTable, NudState } from "./neigh.ts"
export { DEFAULT4, DEFAULT6, Netns, type RouteSpec } from "./netns.ts"
export {
  type Datagram, type PingReply, PingSocket, type SendOptions, type SocketError, UdpSocket
} from "./socket.ts"
export { SocketTable } from "./socket-table.ts"
export { Conf4, Conf6, Globals, NeighConf } from "./conf.ts"
export { Mib, TcpMib } from "./mib.ts"
export { SysctlTable } from "./sysctl.ts"
export type { TcpProtocol } from "./tcp-door.ts"
export type { TcpInfo, TcpLister, TcpRow, TcpRowTimer } from "./tcp-row.ts"
