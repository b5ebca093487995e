# METADATA
# title: Tests of the action pack
package holdpoint_test.http.action

import data.holdpoint
import data.holdpoint.http.action
import data.holdpoint_test.inputs

held(call) := found if {
	found := inputs.ids({"rules": action.hold}) with input as call
}

test_each_tag if {
	cases := {
		"secrets": "http.secrets", "credential": "http.secrets", "upload": "http.upload",
		"fine_tuning": "http.operations", "workflow": "http.operations", "privilege": "http.privilege", "privileged": "http.privilege", "delete": "http.delete",
		"bulk": "http.bulk", "config": "http.operations", "deploy": "http.operations", "exec": "http.operations",
		"infrastructure": "http.operations", "restart": "http.operations", "scale": "http.operations",
		"merge": "http.source", "tool": "http.tool", "batch": "http.tool", "graphql": "http.graphql_mutation",
		"invented": "http.unknown_tag",
	}
	every tag, id in cases { held(inputs.tagged(tag)) == {id} }
}

test_access_decides if {
	held(inputs.http("POST", {"access": "admin"}, {})) == {"http.admin"}
	held(inputs.http("POST", {"access": "unknown"}, {})) == {"http.unknown_action"}
	without := json.remove(inputs.http("POST", {}, {}), ["action/access"])
	held(without) == {"http.unknown_action"}
	count(held(inputs.http("POST", {"access": "write"}, {}))) == 0
	count(held(inputs.http("GET", {"tags": ["graphql"]}, {}))) == 0
	count(held(inputs.tagged("inference"))) == 0
}

test_the_method_DELETE_deletes_whatever_the_tags_say if {
	held(inputs.http("DELETE", {"access": "write"}, {})) == {"http.delete"}
}

test_a_tunnel_is_judged_by_its_host_alone if {
	tunnel := inputs.http("CONNECT", {"access": "unknown"}, {})
	decision := holdpoint.decision with input as tunnel
	decision.effect == "allow"
	inputs.ids(decision) == {"http.tunnel"}
	unknown := object.union(tunnel, {"attributes": {"request": {"http": {"host": "other.test:443"}}}})
	holdpoint.decision.effect == "hold" with input as unknown
}

test_the_reason_says_what_it_does if {
	call := inputs.http("POST", {"service": "aws:ec2", "operation": "RunInstances", "tags": ["infrastructure"]}, {})
	some hit in action.hold with input as call
	hit.reason == "changes a running system (infrastructure): aws:ec2 RunInstances"
	some bare in action.hold with input as inputs.http("POST", {"access": "admin"}, {})
	bare.reason == "administers: POST"
}

test_ordinary_calls_of_known_hosts_pass if {
	read := holdpoint.decision with input as inputs.http("GET", {}, {})
	inputs.ids(read) == {"http.read"}
	written := holdpoint.decision with input as inputs.http("POST", {"access": "write"}, {})
	inputs.ids(written) == {"http.write"}
	written.effect == "allow"
}
