/**
 * A small Wireshark profile beside the captures. `all.pcapng` has a segment on six to eight interfaces, which
 * Wireshark would call retransmissions: since 4.2 it can keep conversations apart by interface and MAC
 * (`protocols.conversation_deinterlacing_key`, checked against its sources; 4.0 warns and goes on).
 * Not supported by Wireshark: reassembly of IP fragments by interface, so that is off.
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const PREFERENCES = `# Wireshark preferences for captures of Podwire; see README.txt.
protocols.conversation_deinterlacing_key: .MI
gui.column.format:
\t"No.", "%m",
\t"Time", "%t",
\t"Interface", "%Cus:frame.interface_name:0:R",
\t"Source", "%s",
\t"Destination", "%d",
\t"Protocol", "%p",
\t"Length", "%L",
\t"Info", "%i",
\t"Comment", "%Cus:frame.comment:0:R"
ip.defragment: FALSE
ip.check_checksum: TRUE
tcp.check_checksum: TRUE
udp.check_checksum: TRUE
`

const README = `A Wireshark profile for the captures in the folder above. Without installing it:

    WIRESHARK_CONFIG_DIR=wireshark-profile wireshark all.pcapng

or copy this folder to Wireshark's profiles as "podwire" (Help, About, Folders) and choose it there.

Open all.pcapng to follow a packet across interfaces (the same frame.packet_id everywhere); open the file of
one device for TCP analysis. Wireshark before 4.2 cannot keep conversations apart by interface: in all.pcapng
it calls the later sights of a segment retransmissions, and warns of the preference that it does not know.
`

export function writeProfile(folder: string): void {
  const profile = join(folder, "wireshark-profile")
  mkdirSync(profile, { recursive: true })
  writeFileSync(join(profile, "preferences"), PREFERENCES)
  writeFileSync(join(profile, "README.txt"), README)
}
