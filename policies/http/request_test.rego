# METADATA
# title: Tests of the request pack
package holdpoint_test.http.request

import data.holdpoint.http.request
import data.holdpoint_test.inputs

held(call) := found if {
	found := inputs.ids({"rules": request.hold}) with input as call
}

test_each_hold if {
	held(inputs.http("GET", {}, {"http": {"ambiguous": true}})) == {"http.ambiguous"}
	held(inputs.http("GET", {"tags": ["ambiguous"]}, {})) == {"http.ambiguous"}
	held(inputs.tagged("method_override")) == {"http.method_override"}
	held(inputs.http("POST", {}, {"truncated_body": true})) == {"http.truncated_body"}
	held(inputs.http("GET", {}, {"http": {"upgrade": "websocket"}})) == {"http.upgrade"}
}

test_a_plain_request_passes if {
	count(held(inputs.http("POST", {}, {}))) == 0
	count(held(inputs.http("GET", {}, {"truncated_body": true}))) == 0
	count(held(inputs.http("CONNECT", {}, {"truncated_body": true}))) == 0
}
