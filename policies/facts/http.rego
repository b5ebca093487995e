# METADATA
# title: Facts of an HTTP call
# description: What several HTTP packs ask of the input.
package holdpoint.facts.http

import data.holdpoint.facts.pattern

# METADATA
# title: The host alone
# description: Lower case, without port, brackets and the dot of the root, so that no spelling escapes a list.
host := trim_right(bare(lower(input.attributes.request.http.host)), ".")

bare(authority) := split(trim_left(authority, "["), "]")[0] if {
	startswith(authority, "[")
} else := authority if {
	count(split(authority, ":")) > 2
} else := split(authority, ":")[0]

# METADATA
# title: The host with its port
# description: The port is that of the address that is dialled.
authority := $"{host}:{input.attributes.destination.address.socketAddress.portValue}"

# METADATA
# title: Whether the security team has listed the host
known if pattern.matches(data.prepared.hosts.known, host)

known if pattern.matches(data.prepared.hosts.known, authority)

# METADATA
# title: Whether the security team has banned the host
denied if pattern.matches(data.prepared.hosts.denied, host)

denied if pattern.matches(data.prepared.hosts.denied, authority)

# METADATA
# title: Tags of the action
tags contains tag if some tag in input.action.tags

# METADATA
# title: Whether the call is a tunnel that nobody looks into
tunnel if input.attributes.request.http.method == "CONNECT"

tunnel if tags.tunnel

# METADATA
# title: The action in words
what := concat(" ", [word |
	some word in [
		input.action.service, input.action.operation, input.action.resource, input.action.subresource,
		input.action.name,
	]
	word != null
])

# METADATA
# title: The action in words, or the method
action := what if {
	what != ""
} else := input.attributes.request.http.method
