# METADATA
# title: Kubernetes
# description: Writes where they matter most; what its tags name is held by the action pack everywhere.
package holdpoint.http.kubernetes

import data.holdpoint.facts.http
import data.holdpoint.facts.pattern
import data.holdpoint.finding

writes if {
	input.action.service == "kubernetes"
	input.action.access != "read"
}

# METADATA
# title: Write in a protected namespace
# description: The namespace is listed in namespaces.protected.
# custom:
#   id: kubernetes.protected_namespace
#   severity: high
#   controls: [CC6.1, CC8.1]
hold contains finding.of(rego.metadata.rule(), $"changes protected namespace {input.action.namespace}: {http.action}") if {
	writes
	pattern.matches(data.prepared.namespaces.protected, input.action.namespace)
}

# METADATA
# title: Write to the cluster itself
# description: A write that belongs to no namespace reaches all of them.
# custom:
#   id: kubernetes.cluster
#   severity: high
#   controls: [CC6.1, CC8.1]
hold contains finding.of(rego.metadata.rule(), $"changes the cluster: {http.action}") if {
	writes
	not is_string(input.action.namespace)
}

# METADATA
# title: Into a container
# description: exec, attach, port-forward and proxy reach inside, by whatever method they are asked for.
# custom:
#   id: kubernetes.inside
#   severity: critical
#   controls: [CC6.1, CC6.8]
hold contains finding.of(rego.metadata.rule(), $"reaches into a container or node: {http.action}") if {
	input.action.service == "kubernetes"
	inside
}

inside if data.vocabulary.http.inside[input.action.subresource]

inside if http.tags.proxy
