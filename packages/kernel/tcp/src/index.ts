export { TcpSocket } from "./socket.ts"
export { State, stateName } from "./state.ts"
export { Tcp } from "./tcp.ts"
