# METADATA
# title: Tests of the writes pack
package holdpoint_test.postgres.writes

import data.holdpoint.postgres.writes
import data.holdpoint_test.inputs

held(text) := found if {
	found := inputs.ids({"rules": writes.hold}) with input as text
}

test_update_and_delete_of_every_row_are_held if {
	every node in ["UpdateStmt", "DeleteStmt"] {
		every flags in [["no_where"], ["has_where", "tautology"], [], ["has_where", "no_where"]] {
			held(inputs.write(node, ["orders"], flags)) == {"postgres.write_without_where"}
		}
	}
}

test_rows_changed_by_condition_or_cursor_are_not if {
	every flags in [["has_where"], ["current_of"], ["no_where", "explain_only"]] {
		count(held(inputs.write("DeleteStmt", ["orders"], flags))) == 0
	}
	count(held(inputs.write("InsertStmt", ["orders"], []))) == 0
}

test_nested_changes_count if {
	nested := {"nested": ["DeleteStmt"], "writes": inputs.named(["orders"]), "flags": ["cte_dml", "no_where"]}
	held(inputs.sql([inputs.statement("SelectStmt", nested)])) == {"postgres.write_without_where"}
	merge := {"nested": ["MergeStmt"], "writes": inputs.named(["orders"]), "flags": ["cte_dml"]}
	held(inputs.sql([inputs.statement("SelectStmt", merge)])) == {"postgres.merge"}
}

test_each_other_rule_fires if {
	cases := {
		"postgres.merge": inputs.write("MergeStmt", ["orders"], []),
		"postgres.bulk_import": inputs.write("CopyStmt", ["orders"], ["copy_from", "copy_stdin", "bulk_import"]),
		"postgres.copy_dml": inputs.flagged(["copy_dml"]),
		"postgres.explain_analyze_write": inputs.write("ExplainStmt", ["orders"], ["explain_analyze", "has_where"]),
		"postgres.lock": inputs.flagged(["lock"]),
		"postgres.two_phase": inputs.flagged(["two_phase"]),
		"postgres.setval": inputs.sql([inputs.statement("SelectStmt", {"functions": inputs.named(["setval"])})]),
		"postgres.notify_data": inputs.select(["users"], ["fn_notify", "has_limit"]),
	}
	every id, text in cases { held(text) == {id} }
}

test_a_plain_notification_passes if count(held(inputs.flagged(["fn_notify"]))) == 0
