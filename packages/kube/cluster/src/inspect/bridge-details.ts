/**
 * What `ip -d link` tells about a bridge and about a bridge's port (iproute2's iplink_bridge.c and
 * iplink_bridge_slave.c). Spanning tree, VLAN filtering and snooping are off, as in the emulated bridge; the
 * values of what is off are the defaults of Linux 6. Timers stand still and show zero.
 */
import { Bridge, type BridgePort, type NetDevice } from "@podwire/netdev"
import * as mac from "@podwire/wire/mac"
import { carrier } from "./device-state.ts"
import { Fixed, type Json, type Printer } from "./printer.ts"

const ZERO = new Fixed("0.00")
const JIFFIES = 10_000_000

/** Names in JSON and in text differ now and then. */
type Field = readonly [key: string, value: Json, label?: string]

/** JSON has it once, as `fastleave`; text has it under both names. */
const TEXT_ONLY_FASTLEAVE: Field = ["", false, "mcast_fast_leave"]

function print(out: Printer, fields: ReadonlyArray<Field>): void {
  for (const [key, value, label = key] of fields) {
    const text = value instanceof Fixed ? value.text.padStart(7) : onOff(value)
    if (key !== "") out.note(key, value)
    out.say(`${label} ${text} `)
  }
}

function onOff(value: Json): string {
  return value === true ? "on" : value === false ? "off" : String(value)
}

/** Priority and MAC, each octet without its leading zero (br_dump_bridge_id). */
function bridgeId(bridge: Bridge): string {
  const octets = mac.format(bridge.mac).split(":").map((octet) => parseInt(octet, 16).toString(16))
  return `8000.${octets.join(":")}`
}

export function bridgeDetails(out: Printer, dev: NetDevice): void {
  if (!(dev instanceof Bridge)) return
  const id = bridgeId(dev)
  out.object("info_data", () => print(out, [
    ["forward_delay", 1500], ["hello_time", 200], ["max_age", 2000],
    ["ageing_time", Math.round(dev.fdb.ageingNs / JIFFIES)], ["stp_state", 0], ["priority", 32_768],
    ["vlan_filtering", 0], ["bridge_id", id], ["root_id", id, "designated_root"], ["root_port", 0],
    ["root_path_cost", 0], ["topology_change", 0], ["topology_change_detected", 0], ["hello_timer", ZERO],
    ["tcn_timer", ZERO], ["topology_change_timer", ZERO], ["gc_timer", ZERO], ["group_fwd_mask", "0"],
    ["group_addr", "01:80:c2:00:00:00", "group_address"], ["mcast_snooping", 0], ["no_linklocal_learn", 0],
    ["mcast_vlan_snooping", 0], ["mcast_router", 1], ["mcast_query_use_ifaddr", 0], ["mcast_querier", 0],
    ["mcast_hash_elasticity", 16], ["mcast_hash_max", 4096],
    ["mcast_last_member_cnt", 2, "mcast_last_member_count"],
    ["mcast_startup_query_cnt", 2, "mcast_startup_query_count"],
    ["mcast_last_member_intvl", 100, "mcast_last_member_interval"],
    ["mcast_membership_intvl", 26_000, "mcast_membership_interval"],
    ["mcast_querier_intvl", 25_500, "mcast_querier_interval"],
    ["mcast_query_intvl", 12_500, "mcast_query_interval"],
    ["mcast_query_response_intvl", 1000, "mcast_query_response_interval"],
    ["mcast_startup_query_intvl", 3124, "mcast_startup_query_interval"], ["mcast_stats_enabled", 0],
    ["mcast_igmp_version", 2], ["mcast_mld_version", 1], ["nf_call_iptables", 0], ["nf_call_ip6tables", 0],
    ["nf_call_arptables", 0]
  ]))
}

export function portDetails(out: Printer, dev: NetDevice): void {
  const bridge = dev.master
  const port = bridge instanceof Bridge ? bridge.port(dev) : null
  if (!(bridge instanceof Bridge) || port === null) return
  out.nl().put("info_slave_kind", "bridge", "    bridge_slave ")
  const id = bridgeId(bridge)
  const portId = (0x8000 | port.number).toString(16)
  out.object("info_slave_data", () => print(out, [
    ["state", portState(port)], ["priority", 32], ["cost", portCost(dev)], ["hairpin", port.hairpin],
    ["guard", false], ["root_block", false], ["fastleave", false], ["learning", port.learning],
    ["flood", port.flood], ["id", `0x${portId}`, "port_id"],
    ["no", `0x${port.number.toString(16)}`, "port_no"],
    ["designated_port", 0x8000 | port.number], ["designated_cost", 0],
    ["bridge_id", id, "designated_bridge"],
    ["root_id", id, "designated_root"], ["hold_timer", ZERO], ["message_age_timer", ZERO],
    ["forward_delay_timer", ZERO], ["topology_change_ack", 0], ["config_pending", 0], ["proxy_arp", false],
    ["proxy_arp_wifi", false], ["multicast_router", 1, "mcast_router"], TEXT_ONLY_FASTLEAVE,
    ["mcast_flood", port.multicastFlood], ["bcast_flood", port.broadcastFlood], ["mcast_to_unicast", false],
    ["neigh_suppress", false], ["group_fwd_mask", "0"], ["group_fwd_mask_str", "0x0"], ["vlan_tunnel", false],
    ["isolated", port.isolated], ["locked", false]
  ]))
}

/** Without spanning tree a port forwards as soon as its link runs (br_port_carrier_check). */
export function portState(port: BridgePort): string {
  return port.dev.up && carrier(port.dev) ? "forwarding" : "disabled"
}

/** port_cost: what 10 Gbit/s costs for a veth, the default for a link of unknown speed. */
export function portCost(dev: NetDevice): number {
  return dev.kind === "veth" ? 2 : 100
}
