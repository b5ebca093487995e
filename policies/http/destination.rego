# METADATA
# title: Destinations
# description: Where a call may go at all.
package holdpoint.http.destination

import data.holdpoint.facts.http
import data.holdpoint.finding

# METADATA
# title: Cloud metadata
# description: The metadata service hands out the machine's own credentials.
# custom:
#   id: http.metadata
#   severity: critical
#   controls: [CC6.1, CC6.6]
deny contains finding.of(rego.metadata.rule(), "calls the cloud metadata service") if metadata

metadata if input.http.destination_class == "metadata"

metadata if http.tags.metadata

# METADATA
# title: Link-local
# description: Link-local addresses belong to the machine and its network, not to any service an agent needs.
# custom:
#   id: http.link_local
#   severity: high
#   controls: [CC6.6]
deny contains finding.of(rego.metadata.rule(), "calls a link-local address") if {
	input.http.destination_class == "link_local"
}

# METADATA
# title: Holdpoint itself
# description: An agent never reaches the listeners or the control API that judge it.
# custom:
#   id: http.self
#   severity: critical
#   controls: [CC6.1, CC6.6]
deny contains finding.of(rego.metadata.rule(), "calls Holdpoint itself") if http.tags.self

# METADATA
# title: Denied host
# description: The host is listed in hosts.denied.
# custom:
#   id: http.denied_host
#   severity: high
#   controls: [CC6.6]
deny contains finding.of(rego.metadata.rule(), $"calls {http.host}, which is denied") if http.denied

# METADATA
# title: Inside the network
# description: A private or loopback address that is not listed in hosts.known.
# custom:
#   id: http.internal
#   severity: high
#   controls: [CC6.6]
hold contains finding.of(rego.metadata.rule(), $"calls {http.host}, inside the network and not a known host") if {
	not input.http.destination_class == "public"
	not http.known
}

# METADATA
# title: Unknown host under default_effect hold
# description: The host is not listed in hosts.known.
# custom:
#   id: http.unknown_host
#   severity: medium
#   controls: [CC6.6, CC6.7]
hold contains finding.of(rego.metadata.rule(), $"calls {http.host}, which is not a known host") if {
	data.config.default_effect == "hold"
	not http.known
	not http.denied
}

# METADATA
# title: Unknown host under default_effect deny
# description: The host is not listed in hosts.known.
# custom:
#   id: http.unknown_host
#   severity: medium
#   controls: [CC6.6, CC6.7]
deny contains finding.of(rego.metadata.rule(), $"calls {http.host}, which is not a known host") if {
	data.config.default_effect == "deny"
	not http.known
	not http.denied
}
