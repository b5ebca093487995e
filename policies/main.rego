# METADATA
# title: Holdpoint's decision
# description: |
#   Combines what the packs found: deny, then hold, then allow, then the configured default. A pack is any package
#   holdpoint.http.<pack>, holdpoint.postgres.<pack> or holdpoint.any.<pack> with the partial sets allow, hold, deny.
package holdpoint

import data.holdpoint.facts.sql
import data.holdpoint.finding

# METADATA
# title: The decision
# description: The entry point. Undefined, or of another form than schema/decision.json, is a deny.
# entrypoint: true
decision := {
	"effect": effect,
	"rules": rules[effect],
	"requirements": requirements,
	"expires": null,
	"grant": null,
	"limits": null,
	"mask": null,
	"message": message[effect],
}

effect := "deny" if {
	count(denies) > 0
} else := "hold" if {
	count(holds) > 0
} else := "allow" if {
	count(allows) > 0
} else := fallback

# One variable a reference: with two, the compiler writes an invalid module.
denies contains hit if {
	input.kind == "postgres"
	some pack
	some hit in data.holdpoint.postgres[pack].deny
}

denies contains hit if {
	input.kind == "http"
	some pack
	some hit in data.holdpoint.http[pack].deny
}

denies contains hit if {
	some pack
	some hit in data.holdpoint.any[pack].deny
}

holds contains hit if {
	input.kind == "postgres"
	some pack
	some hit in data.holdpoint.postgres[pack].hold
}

holds contains hit if {
	input.kind == "http"
	some pack
	some hit in data.holdpoint.http[pack].hold
}

holds contains hit if {
	some pack
	some hit in data.holdpoint.any[pack].hold
}

# The floor. It stands here, outside the packs, so that no pack and no knob can take it away: what carries a flag that
# is not known to be unremarkable asks a person, whatever is allowed elsewhere.
#
# METADATA
# title: Unremarkable or asked
# description: A statement with a flag that is not known to be harmless never runs unasked.
# custom:
#   id: postgres.remarkable
#   severity: high
#   controls: [CC6.1, CC7.2]
holds contains finding.of(rego.metadata.rule(), $"carries {names}, which is never let through unasked") if {
	input.kind == "postgres"
	count(sql.remarkable) > 0
	count(pack_holds) == 0
	names := concat(", ", sort(sql.remarkable))
}

pack_holds contains pack if {
	some pack
	count(data.holdpoint.postgres[pack].hold) > 0
}

# Looked at only when nothing denies or holds, so the common path pays for it and no other.
allows contains hit if {
	input.kind == "postgres"
	some pack
	some hit in data.holdpoint.postgres[pack].allow
}

allows contains hit if {
	input.kind == "http"
	some pack
	some hit in data.holdpoint.http[pack].allow
}

allows contains hit if {
	some pack
	some hit in data.holdpoint.any[pack].allow
}

default fallback := "deny"

fallback := data.config.default_effect if data.config.default_effect in {"allow", "hold", "deny"}

rules["deny"] := denies if count(denies) > 0

rules["hold"] := holds if count(holds) > 0

rules["allow"] := allows if count(allows) > 0

# METADATA
# title: Nothing decides
# description: No rule says anything about this request, so the configured default does.
# custom:
#   id: holdpoint.default
#   severity: medium
#   controls: [CC6.1]
rules[fallback] := {finding.of(rego.metadata.rule(), "no rule allows it")} if {
	(count(denies) + count(holds)) + count(allows) == 0
}

requirements contains approvers(hit.id) if {
	effect == "hold"
	some hit in rules.hold
}

# A list of groups, or {groups, quorum}. What is neither yields no group, and Holdpoint then denies.
approvers(id) := asked(data.config.approvers[id]) if {
	data.config.approvers[id]
} else := asked(data.config.approvers.default) if {
	data.config.approvers.default
} else := {"groups": [], "quorum": 1}

asked(groups) := {"groups": groups, "quorum": 1} if is_array(groups)

asked(who) := {"groups": who.groups, "quorum": who.quorum} if is_object(who)

message["allow"] := "Allowed."

message["hold"] := $"Needs approval: {reasons}."

message["deny"] := $"Denied by policy: {reasons}."

# Sorted, because WebAssembly keeps the members of a set in no order.
reasons := concat("; ", sort({hit.reason | some hit in rules[effect]}))
