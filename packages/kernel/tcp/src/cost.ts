/**
 * What a received segment costs its buffer (skb->truesize): its octets, and the two small objects that a local
 * sender's segment has beside them (sk_buff, and a head for the headers). A driver's may cost more.
 */
const OVERHEAD_BYTES = 832

export function cost(dataBytes: number): number {
  return dataBytes + OVERHEAD_BYTES
}
