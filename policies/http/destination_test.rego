# METADATA
# title: Tests of the destination pack
package holdpoint_test.http.destination

import data.holdpoint
import data.holdpoint.facts.http
import data.holdpoint.http.destination
import data.holdpoint_test.inputs

decided(call) := found if {
	found := holdpoint.decision with input as call
}

classed(class) := inputs.http("GET", {}, {"http": {"destination_class": class}})

test_metadata_link_local_and_self_are_denied_though_the_host_is_known if {
	inputs.ids(decided(classed("metadata"))) == {"http.metadata"}
	inputs.ids(decided(classed("link_local"))) == {"http.link_local"}
	inputs.ids(decided(inputs.http("GET", {"tags": ["metadata"]}, {}))) == {"http.metadata"}
	self := decided(inputs.http("GET", {"tags": ["self"]}, {}))
	self.effect == "deny"
	inputs.ids(self) == {"http.self"}
}

test_known_hosts_pass_however_they_are_spelt if {
	every host in ["api.github.com", "API.GitHub.com", "api.github.com:443", "api.github.com.", "s3.us-east-1.amazonaws.com"] {
		decided(inputs.to_host(host)).effect == "allow"
	}
}

test_a_known_host_can_be_listed_with_its_port if {
	list := {"exact": {"k8s.example.test:6443": true}}
	decision := holdpoint.decision with input as on_port("k8s.example.test", 6443)
		with data.prepared.hosts.known as list
	decision.effect == "allow"
	other := holdpoint.decision with input as on_port("k8s.example.test", 443)
		with data.prepared.hosts.known as list
	other.effect == "hold"
}

test_unknown_hosts_follow_the_default if {
	every host in ["evil.test", "amazonaws.com", "api.github.com.evil.test", "xapi.github.com", "[2001:db8::1]:443"] {
		held := decided(inputs.to_host(host))
		held.effect == "hold"
		inputs.ids(held) == {"http.unknown_host"}
		denied := holdpoint.decision with input as inputs.to_host(host) with data.config.default_effect as "deny"
		denied.effect == "deny"
		inputs.ids(denied) == {"http.unknown_host"}
		allowed := holdpoint.decision with input as inputs.to_host(host) with data.config.default_effect as "allow"
		allowed.effect == "allow"
	}
}

test_denied_hosts_are_denied_however_they_are_spelt if {
	list := {"exact": {"evil.test": true}, "suffixes": [".evil.test"]}
	every host in ["evil.test", "EVIL.test.", "evil.test:8443", "www.evil.test"] {
		decision := holdpoint.decision with input as inputs.to_host(host) with data.prepared.hosts.denied as list
		decision.effect == "deny"
		inputs.ids(decision) == {"http.denied_host"}
	}
	authority := holdpoint.decision with input as on_port("api.github.com", 22)
		with data.prepared.hosts.denied as {"exact": {"api.github.com:22": true}}
	authority.effect == "deny"
}

test_addresses_inside_ask_unless_known if {
	every class in ["private", "loopback"] {
		decided(classed(class)).effect == "allow"
		unknown := object.union(classed(class), {"attributes": {"request": {"http": {"host": "10.0.0.1"}}}})
		ids := inputs.ids({"rules": destination.hold}) with input as unknown
		ids == {"http.internal", "http.unknown_host"}
	}
}

test_the_host_is_found_in_every_form if {
	cases := {"a.test:1": "a.test", "[::1]:80": "::1", "[::1]": "::1", "A.Test.": "a.test", "a.test": "a.test", "2001:db8::1": "2001:db8::1"}
	every written, host in cases { http.host == host with input as inputs.to_host(written) }
}

on_port(host, port) := object.union(
	inputs.to_host(host),
	{"attributes": {"destination": {"address": {"socketAddress": {"portValue": port}}}}},
)
