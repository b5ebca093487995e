# METADATA
# title: Tests of the server reach pack
package holdpoint_test.postgres.server_reach

import data.holdpoint.postgres.server_reach
import data.holdpoint_test.inputs

test_each_denial if {
	cases := {
		"copy_program": "postgres.copy_program", "copy_file": "postgres.server_files", "fn_file": "postgres.server_files",
		"fn_remote_sql": "postgres.outbound", "outbound": "postgres.outbound", "load_library": "postgres.native_code",
		"untrusted_language": "postgres.native_code", "alter_system": "postgres.alter_system",
		"replication": "postgres.replication", "fn_replication": "postgres.replication",
	}
	every flag, id in cases {
		hits := server_reach.deny with input as inputs.flagged([flag])
		inputs.ids({"rules": hits}) == {id}
	}
	protocol := server_reach.deny with input as inputs.sql_with([], {"protocol": "replication"})
	inputs.ids({"rules": protocol}) == {"postgres.replication"}
}

test_each_hold if {
	cases := {
		"fn_admin": "postgres.server_admin", "fn_backend_control": "postgres.server_admin",
		"fn_large_object": "postgres.large_object", "fn_delay": "postgres.delay",
	}
	every flag, id in cases {
		hits := server_reach.hold with input as inputs.flagged([flag])
		inputs.ids({"rules": hits}) == {id}
	}
}

test_a_read_reaches_nothing if {
	count(server_reach.deny | server_reach.hold) == 0 with input as inputs.select(["orders"], ["has_where"])
}
