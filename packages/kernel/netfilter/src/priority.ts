/** The order of hooks at one point, lowest first (enum nf_ip_hook_priorities). */
export const Priority = {
  ConntrackDefrag: -400,
  Raw: -300,
  Conntrack: -200,
  Mangle: -150,
  NatDst: -100,
  Filter: 0,
  Security: 50,
  NatSrc: 100,
  ConntrackHelper: 300,
  ConntrackConfirm: 0x7fffffff
} as const
