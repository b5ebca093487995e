# METADATA
# title: Actions
# description: |
#   What a call does, in its API's own words: input.action. A tunnel has no action to judge; hosts.known decides alone.
package holdpoint.http.action

import data.holdpoint.facts.http
import data.holdpoint.finding

# METADATA
# title: Administration
# description: A call to an administrative API.
# custom:
#   id: http.admin
#   severity: high
#   controls: [CC6.1, CC6.3]
hold contains finding.of(rego.metadata.rule(), $"administers: {http.action}") if input.action.access == "admin"

# METADATA
# title: Unknown action
# description: A call whose effect is not known is not taken to be harmless.
# custom:
#   id: http.unknown_action
#   severity: medium
#   controls: [CC6.1]
hold contains finding.of(rego.metadata.rule(), $"does something that is not recognised: {http.action}") if {
	not input.action.access in {"admin", "read", "write"}
	not http.tunnel
}

# METADATA
# title: Secrets
# description: Secrets read or written.
# custom:
#   id: http.secrets
#   severity: critical
#   controls: [CC6.1]
hold contains finding.of(rego.metadata.rule(), $"handles secrets: {http.action}") if "secrets" in http.tags

# METADATA
# title: Privileges
# description: Roles, bindings, policies, keys; containers that own their node.
# custom:
#   id: http.privilege
#   severity: critical
#   controls: [CC6.2, CC6.3]
hold contains finding.of(rego.metadata.rule(), $"changes privileges: {http.action}") if {
	some tag in {"privilege", "privileged"}
	tag in http.tags
}

# METADATA
# title: Deletion
# description: Something is deleted.
# custom:
#   id: http.delete
#   severity: high
#   controls: [CC6.1, A1.2]
hold contains finding.of(rego.metadata.rule(), $"deletes: {http.action}") if deletes

deletes if "delete" in http.tags

deletes if input.attributes.request.http.method == "DELETE"

# METADATA
# title: Bulk
# description: Much is read or changed at once.
# custom:
#   id: http.bulk
#   severity: high
#   controls: [CC6.1, CC6.7]
hold contains finding.of(rego.metadata.rule(), $"reads or changes much at once: {http.action}") if "bulk" in http.tags

# METADATA
# title: Running systems
# description: Infrastructure made or changed; deployments, restarts, scaling, configuration, commands in containers.
# custom:
#   id: http.operations
#   severity: high
#   controls: [CC6.8, CC8.1]
hold contains finding.of(rego.metadata.rule(), $"changes a running system ({what}): {http.action}") if {
	marks := http.tags & operations
	count(marks) > 0
	what := concat(", ", marks)
}

operations := {"config", "deploy", "exec", "infrastructure", "restart", "scale"}

# METADATA
# title: Source changes
# description: A merge, or a push to a protected or unknown branch.
# custom:
#   id: http.source
#   severity: high
#   controls: [CC8.1]
hold contains finding.of(rego.metadata.rule(), $"merges: {http.action}") if "merge" in http.tags

# METADATA
# title: Tools of others
# description: An MCP tool call, or a batch of calls.
# custom:
#   id: http.tool
#   severity: medium
#   controls: [CC6.1, CC6.8]
hold contains finding.of(rego.metadata.rule(), $"runs a tool or a batch: {http.action}") if {
	some tag in {"batch", "tool"}
	tag in http.tags
}

# METADATA
# title: GraphQL mutation
# description: What a mutation changes is known to its API alone.
# custom:
#   id: http.graphql_mutation
#   severity: medium
#   controls: [CC6.1]
hold contains finding.of(rego.metadata.rule(), $"changes data through GraphQL: {http.action}") if {
	"graphql" in http.tags
	input.action.access == "write"
}

# METADATA
# title: Tags that are judged elsewhere, or mean no harm by themselves
judged := {
	"ambiguous", "batch", "bulk", "delete", "graphql", "inference", "merge", "metadata", "method_override", "privilege",
	"privileged", "push", "secrets", "self", "tool",
} | operations

# METADATA
# title: Unknown tag
# description: A tag that no rule here knows is not taken to be harmless.
# custom:
#   id: http.unknown_tag
#   severity: medium
#   controls: [CC6.1]
hold contains finding.of(rego.metadata.rule(), $"is marked {marks}: {http.action}") if {
	unknown := http.tags - judged
	count(unknown) > 0
	marks := concat(", ", unknown)
}
