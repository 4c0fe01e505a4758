/**
 * The skb of this stack: one pooled buffer and what the layers have learnt about it.
 *
 * Live bytes are [head, tail). On a device (xmit, run) `head` is the first byte of the Ethernet
 * header; the room below it is for encapsulation. A frame has one owner: whoever gets it passes it
 * on or ends it, exactly once. (struct sk_buff; without shared data and without fragments lists.)
 */
import type { NetDevice } from "./device.ts"

/** Room below the Ethernet header: enough for VXLAN in IPv6 with a VLAN tag. At 2, IP is word aligned. */
export const HEADROOM_BYTES = 130

/** skb->ip_summed, as far as a stack without hardware needs it. */
export const Checksum = {
  /** Nobody has looked at the transport checksum. */
  None: 0,
  /** Only the pseudo header is summed, and the field awaits the rest (CHECKSUM_PARTIAL; `partial.ts`). */
  Partial: 1,
  /** Verified, or made by this host. */
  Unnecessary: 2
} as const

/** skb->pkt_type: for whom the link layer says the frame is. */
export const PacketType = { Host: 0, Broadcast: 1, Multicast: 2, OtherHost: 3, Outgoing: 4 } as const

export class Frame {
  readonly bytes: Uint8Array
  /** The same buffer by words, for copies. */
  readonly words: Int32Array
  /** Which of the pool's classes it goes home to. */
  readonly sizeClass: number
  head = HEADROOM_BYTES
  tail = HEADROOM_BYTES
  /** Offsets of the network and transport headers in `bytes`; 0 while unknown. */
  l3 = 0
  l4 = 0
  /** EtherType of what starts at l3. */
  protocol = 0
  /** Upper-layer protocol of what starts at l4. */
  l4Protocol = 0
  csum = 0
  /** It has left a card: what is still partial in it was whole on the wire. */
  wired = false
  packetType = 0
  /** skb->mark and skb->priority. */
  mark = 0
  priority = 0
  /** Conntrack entry (-1 none) and how this frame relates to it. */
  ct = -1
  ctinfo = 0
  /** Flags that a layer keeps for its own later steps, such as `nf_bridge` seen. */
  control = 0
  /** Largest fragment that was reassembled into this packet; 0 if none (IPCB frag_max_size). */
  fragMax = 0
  /** The route chosen for it: an id that means something to its namespace only. */
  dst = -1
  /** Number for traces and captures; kept by clones, so one packet has one number on every device. */
  id = 0
  /** A link fault changed its bytes. */
  corrupted = false
  /** The device that it arrived on, or is leaving by. */
  dev: NetDevice | null = null
  /** Free list, neighbour queue or qdisc: in one list at a time. */
  next: Frame | null = null
  /** Guard against double free. */
  free = true

  constructor(slab: ArrayBuffer, at: number, size: number, sizeClass: number) {
    this.bytes = new Uint8Array(slab, at, size)
    this.words = new Int32Array(slab, at, size >> 2)
    this.sizeClass = sizeClass
  }

  get length(): number {
    return this.tail - this.head
  }

  /** Forget what one namespace knew when the frame crosses into another (skb_scrub_packet). */
  scrub(): void {
    this.l3 = 0
    this.l4 = 0
    this.mark = 0
    this.priority = 0
    this.ct = -1
    this.ctinfo = 0
    this.control = 0
    this.fragMax = 0
    this.dst = -1
  }
}
