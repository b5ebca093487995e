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
	not recognised
	not http.tunnel
}

recognised if input.action.access == "admin"

recognised if input.action.access == "read"

recognised if input.action.access == "write"

# METADATA
# title: Secrets
# description: Secrets read or written.
# custom:
#   id: http.secrets
#   severity: critical
#   controls: [CC6.1]
hold contains finding.of(rego.metadata.rule(), $"handles secrets or credentials: {http.action}") if secret

secret if http.tags.secrets

secret if http.tags.credential

# METADATA
# title: Uploads
# description: A file handed to somebody else's keeping.
# custom:
#   id: http.upload
#   severity: medium
#   controls: [CC6.7]
hold contains finding.of(rego.metadata.rule(), $"uploads: {http.action}") if http.tags.upload

# METADATA
# title: Privileges
# description: Roles, bindings, policies, keys; containers that own their node.
# custom:
#   id: http.privilege
#   severity: critical
#   controls: [CC6.2, CC6.3]
hold contains finding.of(rego.metadata.rule(), $"changes privileges: {http.action}") if privileged

privileged if http.tags.privilege

privileged if http.tags.privileged

# METADATA
# title: Deletion
# description: Something is deleted.
# custom:
#   id: http.delete
#   severity: high
#   controls: [CC6.1, A1.2]
hold contains finding.of(rego.metadata.rule(), $"deletes: {http.action}") if deletes

deletes if http.tags.delete

deletes if input.attributes.request.http.method == "DELETE"

# METADATA
# title: Bulk
# description: Much is read or changed at once.
# custom:
#   id: http.bulk
#   severity: high
#   controls: [CC6.1, CC6.7]
hold contains finding.of(rego.metadata.rule(), $"reads or changes much at once: {http.action}") if http.tags.bulk

# METADATA
# title: Running systems
# description: Infrastructure made or changed; deployments, restarts, scaling, configuration, commands in containers.
# custom:
#   id: http.operations
#   severity: high
#   controls: [CC6.8, CC8.1]
hold contains finding.of(rego.metadata.rule(), $"changes a running system ({what}): {http.action}") if {
	marks := [tag | some tag in http.tags; data.vocabulary.http.operations[tag]]
	count(marks) > 0
	what := concat(", ", sort(marks))
}

# METADATA
# title: Source changes
# description: A merge, or a push to a protected or unknown branch.
# custom:
#   id: http.source
#   severity: high
#   controls: [CC8.1]
hold contains finding.of(rego.metadata.rule(), $"merges: {http.action}") if http.tags.merge

# METADATA
# title: Tools of others
# description: An MCP tool call, or a batch of calls.
# custom:
#   id: http.tool
#   severity: medium
#   controls: [CC6.1, CC6.8]
hold contains finding.of(rego.metadata.rule(), $"runs a tool or a batch: {http.action}") if tool

tool if http.tags.batch

tool if http.tags.tool

# METADATA
# title: GraphQL mutation
# description: What a mutation changes is known to its API alone.
# custom:
#   id: http.graphql_mutation
#   severity: medium
#   controls: [CC6.1]
hold contains finding.of(rego.metadata.rule(), $"changes data through GraphQL: {http.action}") if {
	http.tags.graphql
	input.action.access == "write"
}

# METADATA
# title: Unknown tag
# description: A tag that no rule here knows is not taken to be harmless.
# custom:
#   id: http.unknown_tag
#   severity: medium
#   controls: [CC6.1]
hold contains finding.of(rego.metadata.rule(), $"is marked {marks}: {http.action}") if {
	unknown := [tag | some tag in http.tags; not data.vocabulary.http.known_tags[tag]]
	count(unknown) > 0
	marks := concat(", ", sort(unknown))
}
