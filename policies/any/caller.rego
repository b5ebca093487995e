# METADATA
# title: Who asks, and can they be judged
# description: What must be true of every request before any rule means anything.
package holdpoint.any.caller

import data.holdpoint.finding

# METADATA
# title: Nobody
# description: A request that no agent answers for is denied.
# custom:
#   id: any.unidentified
#   severity: critical
#   controls: [CC6.1]
deny contains finding.of(rego.metadata.rule(), "no agent is named") if not named

named if input.agent.id != ""

# METADATA
# title: Facts of another form
# description: Facts of a version or kind that these packs were not written for are denied.
# custom:
#   id: any.unknown_facts
#   severity: critical
#   controls: [CC6.1, CC8.1]
deny contains finding.of(rego.metadata.rule(), "the facts are of a form that this policy does not know") if not known

known if {
	input.version == 1
	kind
}

# METADATA
# title: Policy data missing
# description: Without its prepared lists the policy cannot tell what is sensitive or denied, so it denies.
# custom:
#   id: any.unprepared
#   severity: critical
#   controls: [CC8.1]
deny contains finding.of(rego.metadata.rule(), "the policy's data has not been prepared") if not data.prepared.version == 1

kind if input.kind == "http"

kind if input.kind == "postgres"
