/** What follows an Ethernet header (IEEE 802 numbers, assigned by IANA). */
export const IPV4 = 0x0800
export const ARP = 0x0806
/** 802.1Q customer tag. */
export const VLAN = 0x8100
export const IPV6 = 0x86dd
/** 802.1ad service tag. */
export const QINQ = 0x88a8
/** Link layer discovery (802.1AB). */
export const LLDP = 0x88cc
/** Values up to here are lengths of 802.3 frames. */
export const LENGTH_MAX = 1500
