# METADATA
# title: Routine
# description: Reads and ordinary writes of known hosts. What is more than ordinary, another pack holds.
package holdpoint.http.routine

import data.holdpoint.facts.http
import data.holdpoint.finding

# METADATA
# title: Read of a known host
# custom:
#   id: http.read
#   severity: info
#   controls: [CC6.6]
allow contains finding.of(rego.metadata.rule(), $"reads from {http.host}") if {
	http.known
	input.action.access == "read"
}

# METADATA
# title: Ordinary write to a known host
# custom:
#   id: http.write
#   severity: info
#   controls: [CC6.6]
allow contains finding.of(rego.metadata.rule(), $"writes to {http.host}") if {
	http.known
	input.action.access == "write"
}

# METADATA
# title: Tunnel to a known host
# custom:
#   id: http.tunnel
#   severity: info
#   controls: [CC6.6]
allow contains finding.of(rego.metadata.rule(), $"opens a tunnel to {http.host}") if {
	http.known
	http.tunnel
}
