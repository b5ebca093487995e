# METADATA
# title: Requests that cannot be read with certainty
# description: What the upstream may understand in another way than policy did.
package holdpoint.http.request

import data.holdpoint.facts.http
import data.holdpoint.finding

# METADATA
# title: Ambiguous target
# description: Encoded slashes, dot segments and the like, which servers resolve in different ways.
# custom:
#   id: http.ambiguous
#   severity: high
#   controls: [CC6.1]
hold contains finding.of(rego.metadata.rule(), "has a target that servers read in different ways") if ambiguous

ambiguous if input.http.ambiguous

ambiguous if http.tags.ambiguous

# METADATA
# title: Method override
# description: A header or parameter asks the server to treat the call as another method.
# custom:
#   id: http.method_override
#   severity: high
#   controls: [CC6.1]
hold contains finding.of(rego.metadata.rule(), "asks to be treated as another method") if {
	http.tags.method_override
}

# METADATA
# title: Body not seen whole
# description: The body is larger than what is inspected; a read has none that matters.
# custom:
#   id: http.truncated_body
#   severity: medium
#   controls: [CC6.1, CC6.7]
hold contains finding.of(rego.metadata.rule(), "has a body too large to be inspected") if {
	input.truncated_body
	not http.tunnel
	not input.attributes.request.http.method in {"GET", "HEAD", "OPTIONS"}
}

# METADATA
# title: Protocol upgrade
# description: After an upgrade the connection carries messages that are not inspected.
# custom:
#   id: http.upgrade
#   severity: medium
#   controls: [CC6.7]
hold contains finding.of(rego.metadata.rule(), $"changes the protocol to {input.http.upgrade}") if {
	is_string(input.http.upgrade)
}
