# METADATA
# title: Tests of the definitions pack
package holdpoint_test.postgres.definitions

import data.holdpoint.postgres.definitions
import data.holdpoint_test.inputs

held(text) := found if {
	found := inputs.ids({"rules": definitions.hold}) with input as text
}

denied(text) := found if {
	found := inputs.ids({"rules": definitions.deny}) with input as text
}

drop(command) := inputs.sql([inputs.statement(
	"DropStmt",
	{"command": command, "writes": inputs.named(["orders"]), "flags": ["ddl"]},
)])

test_what_holds_rows_is_not_dropped_or_emptied if {
	every command in ["DROP TABLE", "DROP SCHEMA", "DROP", "DROP MATERIALIZED VIEW", "DROP SEQUENCE", ""] {
		denied(drop(command)) == {"postgres.destruction"}
	}
	every node in ["TruncateStmt", "DropdbStmt", "DropTableSpaceStmt"] {
		denied(inputs.sql([inputs.statement(node, {})])) == {"postgres.destruction"}
	}
}

test_what_holds_none_asks if {
	every command in ["DROP INDEX", "DROP VIEW", "DROP FUNCTION"] {
		count(denied(drop(command))) == 0
		held(drop(command)) == {"postgres.ddl"}
	}
}

test_definitions_and_privileges_ask if {
	held(inputs.write("AlterTableStmt", ["orders"], ["ddl", "rls"])) == {"postgres.ddl"}
	held(inputs.flagged(["select_into", "ddl"])) == {"postgres.ddl"}
	held(inputs.flagged(["privilege"])) == {"postgres.privilege"}
}

test_catalogues_are_not_written if {
	denied(inputs.write("UpdateStmt", ["pg_settings"], ["has_where"])) == {"postgres.catalogue_write"}
	count(denied(inputs.write("VacuumStmt", ["pg_class"], ["maintenance"]))) == 0
}

test_credentials_are_not_read if {
	denied(inputs.select(["pg_authid"], ["has_where"])) == {"postgres.credentials"}
	denied(inputs.select(["pg_shadow"], ["aggregate_only"])) == {"postgres.credentials"}
}

test_revealing_catalogues_ask if {
	held(inputs.select(["pg_stats"], ["has_where"])) == {"postgres.revealing_catalogue"}
	toast := {"reads": [{"schema": "pg_toast", "name": "pg_toast_1"}], "flags": ["has_where"]}
	held(inputs.sql([inputs.statement("SelectStmt", toast)])) == {"postgres.revealing_catalogue"}
	count(held(inputs.select(["pg_class"], ["has_where"]))) == 0
	held(inputs.sql([activity("max")])) == {"postgres.revealing_catalogue"}
	count(held(inputs.sql([activity("count")]))) == 0
	reveals := {"functions": [{"schema": null, "name": "pg_stat_get_activity"}]}
	held(inputs.sql([inputs.statement("SelectStmt", reveals)])) == {"postgres.revealing_catalogue"}
}

activity(fn) := inputs.statement("SelectStmt", {
	"reads": inputs.named(["pg_stat_activity"]),
	"functions": [{"schema": null, "name": fn}],
	"flags": ["aggregate_only"],
})
