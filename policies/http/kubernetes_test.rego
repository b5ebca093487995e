# METADATA
# title: Tests of the Kubernetes pack
package holdpoint_test.http.kubernetes

import data.holdpoint.http.kubernetes
import data.holdpoint_test.inputs

held(call) := found if {
	found := inputs.ids({"rules": kubernetes.hold}) with input as call
}

call(access, more) := inputs.http("PATCH", object.union({"service": "kubernetes", "access": access}, more), {})

test_writes_are_held_by_namespace if {
	held(call("write", {"namespace": "prod"})) == {"kubernetes.protected_namespace"}
	held(call("unknown", {"namespace": "prod"})) == {"kubernetes.protected_namespace"}
	held(call("write", {"namespace": null})) == {"kubernetes.cluster"}
	count(held(call("write", {"namespace": "dev"}))) == 0
	count(held(call("read", {"namespace": "prod"}))) == 0
}

test_inside_is_held_even_when_it_is_a_read if {
	every subresource in ["exec", "attach", "portforward", "proxy", "ephemeralcontainers"] {
		held(call("read", {"namespace": "dev", "subresource": subresource})) == {"kubernetes.inside"}
	}
	held(call("read", {"namespace": "dev", "tags": ["proxy"]})) == {"kubernetes.inside"}
	count(held(call("read", {"namespace": "dev", "subresource": "log"}))) == 0
}

test_other_services_are_not_its_business if {
	count(held(inputs.http("POST", {"service": "github", "access": "write"}, {}))) == 0
}
