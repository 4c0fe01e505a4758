/**
 * What segments cost the buffers of a socket (skb->truesize), which decides about windows and about how
 * much a write takes. Received ones cost what a card's driver or a TAP gives them; a local sender's over
 * veth cost a little more.
 */

/** Ethernet, IP and TCP headers, and the room before them (NET_SKB_PAD). */
const HEADERS_BYTES = 14 + 20 + 20
const PAD_BYTES = 64
/** skb_shared_info behind the octets, sk_buff beside them. */
const OBJECTS_BYTES = 320 + 256
/** What it saves to hang a segment's octets onto the one before (sk_buff). */
export const COALESCED_BYTES = 256
/** The head of a packet that is built for sending; its octets are in pages. */
export const SENT_OVERHEAD_BYTES = 2048

export function received(dataBytes: number): number {
  return ((dataBytes + HEADERS_BYTES + PAD_BYTES + 63) & ~63) + OBJECTS_BYTES
}
