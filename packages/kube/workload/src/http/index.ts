export { type Field, Fields, isFieldValue, isTarget, isToken, lower } from "./fields.ts"
export {
  type Framing, type HttpError, type Limits, LIMITS, persists, reasonOf, type Request, type Response
} from "./message.ts"
export { Event, type MessageParser } from "./parser.ts"
export { RequestParser } from "./request-parser.ts"
export { ResponseParser } from "./response-parser.ts"
export { chunk, lastChunk, requestHead, responseHead } from "./write.ts"
