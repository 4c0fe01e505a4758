/** What `conntrack -S` counts (struct ip_conntrack_stat), one processor. */
export class ConntrackStats {
  /** A tuple that NAT wanted was taken. */
  found = 0
  /** Packets that belong to no flow. */
  invalid = 0
  /** Entries made by hand; Linux counts no others. */
  insert = 0
  insert_failed = 0
  /** Packets lost because there was no room, or because of a clash. */
  drop = 0
  early_drop = 0
  /** ICMP messages that are wrong or about no known flow. */
  error = 0
  search_restart = 0
  clash_resolve = 0
  chaintoolong = 0
}
