# METADATA
# title: Tests of the caller pack
package holdpoint_test.any.caller

import data.holdpoint
import data.holdpoint_test.inputs

test_nobody_is_denied if {
	nobody := object.union(inputs.select([], []), {"agent": {"id": ""}})
	decision := holdpoint.decision with input as nobody
	decision.effect == "deny"
	inputs.ids(decision) == {"any.unidentified"}
	absent := object.remove(inputs.select([], []), ["agent"])
	holdpoint.decision.effect == "deny" with input as absent
}

test_facts_of_another_form_are_denied if {
	every change in [{"version": 2}, {"kind": "smtp"}] {
		decision := holdpoint.decision with input as object.union(inputs.select([], []), change)
		decision.effect == "deny"
		inputs.ids(decision) == {"any.unknown_facts"}
	}
	holdpoint.decision.effect == "deny" with input as {}
}

test_unprepared_data_denies if {
	decision := holdpoint.decision with input as inputs.select([], []) with data.prepared as {}
	decision.effect == "deny"
	inputs.ids(decision) == {"any.unprepared"}
}
