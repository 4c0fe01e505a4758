/**
 * What a packet's buffer costs whoever keeps it (skb->truesize): the queue of an unresolved neighbour,
 * datagrams in a socket, fragments. As an x86-64 kernel 6.18 allocates for its own UDP packets; a driver
 * may give received ones more.
 */

/** Room for a link header, and what aligns it, before the packet. */
const HEADROOM_BYTES = 31
/** struct skb_shared_info behind the data, struct sk_buff beside it. */
const SHARED_INFO_BYTES = 320
const HEAD_BYTES = 256
/** What fits skb_small_head_cache costs as much as the largest that fits. */
const SMALL_BYTES = 576

/** Of a packet of that length, without its link header. */
export function truesize(packetBytes: number): number {
  const data = ((packetBytes + HEADROOM_BYTES + 63) & ~63) + SHARED_INFO_BYTES
  let allocated = SMALL_BYTES
  if (data > SMALL_BYTES) for (allocated = 1024; allocated < data;) allocated *= 2
  return allocated + HEAD_BYTES
}
