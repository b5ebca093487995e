# METADATA
# title: Tests of the source pack
package holdpoint_test.http.source

import data.holdpoint.http.source
import data.holdpoint_test.inputs

held(operation, body) := found if {
	action := {"service": "github", "operation": operation, "access": "write", "tags": ["push"]}
	found := source.hold with input as inputs.http("PUT", action, {"parsed_body": body})
}

contents := "repos/create-or-update-file-contents"

test_protected_and_unknown_branches_ask if {
	every body in [{"branch": "main"}, {"branch": "release/1"}, {}, {"branch": 1}, {"branch": "dev", "force": true}] {
		count(held(contents, body)) == 1
	}
	count(held("git/update-ref", {"branch": "dev", "ref": "refs/heads/dev"})) == 1
	count(held("git/create-ref", {"ref": "refs/heads/main"})) == 1
	some hit in held(contents, {"branch": "main"})
	hit.reason == $"pushes to main: github {contents}"
}

test_other_branches_pass if {
	count(held(contents, {"branch": "dev"})) == 0
	count(held("git/create-ref", {"ref": "refs/heads/dev"})) == 0
}
