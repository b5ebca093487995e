# METADATA
# title: Tests of the hidden code pack
package holdpoint_test.postgres.hidden_code

import data.holdpoint.postgres.hidden_code
import data.holdpoint_test.inputs

test_each_hold if {
	cases := {
		"do": "postgres.do", "hidden_sql": "postgres.hidden_sql", "dynamic_sql": "postgres.hidden_sql",
		"fn_sql_exec": "postgres.hidden_sql", "call": "postgres.user_code", "custom_operator": "postgres.user_code",
		"fn_user": "postgres.user_code", "needs_prepared_lookup": "postgres.unknown_prepared",
		"needs_cursor_lookup": "postgres.unknown_prepared", "opaque": "postgres.opaque",
		"parser_disagreement": "postgres.opaque", "session_unknown": "postgres.opaque", "ident_truncated": "postgres.opaque",
	}
	every flag, id in cases {
		hits := hidden_code.hold with input as inputs.flagged([flag])
		inputs.ids({"rules": hits}) == {id}
	}
}

test_the_reason_names_what_was_found if {
	some hit in hidden_code.hold with input as inputs.flagged(["fn_user", "call"])
	hit.reason == "calls code that is not PostgreSQL's own (call, fn_user)"
}

test_a_read_hides_nothing if count(hidden_code.hold) == 0 with input as inputs.select(["orders"], ["has_where"])
