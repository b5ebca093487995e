# METADATA
# title: Source code hosts
# description: Pushes through an API, by the branch that they reach.
package holdpoint.http.source

import data.holdpoint.facts.http
import data.holdpoint.facts.pattern
import data.holdpoint.finding

# METADATA
# title: Push
# description: A push that is forced, or reaches a branch in branches.protected, or one that cannot be told.
# custom:
#   id: http.push
#   severity: high
#   controls: [CC8.1]
hold contains finding.of(rego.metadata.rule(), $"pushes to {where}: {http.action}") if {
	http.tags.push
	not plain
}

default where := "a branch that policy cannot tell"

where := branch if is_string(branch)

plain if {
	not input.parsed_body.force
	is_string(branch)
	not pattern.matches(data.prepared.branches.protected, branch)
}

# Only where the body alone says which branch it is: a ref in the path is not looked at, and so not plain.
branch := input.parsed_body.branch if {
	input.action.operation in {"repos/create-or-update-file-contents", "repos/delete-file"}
} else := trim_prefix(input.parsed_body.ref, "refs/heads/") if {
	input.action.operation == "git/create-ref"
}
