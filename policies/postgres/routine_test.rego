# METADATA
# title: Tests of the routine pack
package holdpoint_test.postgres.routine

import data.holdpoint
import data.holdpoint_test.inputs

decided(text) := found if {
	found := holdpoint.decision with input as text
}

test_ordinary_reads_pass if {
	every text in [
		inputs.select(["orders"], ["has_where"]),
		inputs.select(["orders"], ["no_where", "has_limit"]),
		inputs.select(["orders", "lines"], ["has_where", "cte", "set_op", "paging"]),
		inputs.select([], []),
		inputs.select(["pg_class"], ["no_where", "system_catalog"]),
		inputs.sql([]),
		inputs.sql([inputs.statement("ExplainStmt", {
			"nested": ["DeleteStmt"], "writes": inputs.named(["orders"]), "flags": ["explain_only", "no_where"],
		})]),
		inputs.sql([inputs.statement("ExplainStmt", {
			"nested": ["SelectStmt"], "reads": inputs.named(["orders"]), "flags": ["explain_analyze", "has_where"],
		})]),
		inputs.sql([inputs.statement("DeclareCursorStmt", {
			"nested": ["SelectStmt"], "reads": inputs.named(["orders"]), "flags": ["cursor", "has_where"],
		})]),
		inputs.sql([inputs.statement("PrepareStmt", {"nested": ["SelectStmt"], "flags": ["prepare"]})]),
		inputs.sql([inputs.statement("VariableShowStmt", {})]),
		inputs.sql([inputs.statement("FetchStmt", {"flags": ["cursor"]})]),
	] {
		decision := decided(text)
		decision.effect in {"allow"}
	}
}

test_ordinary_writes_pass_and_say_what_they_write if {
	every node in ["InsertStmt", "UpdateStmt", "DeleteStmt"] {
		decision := decided(inputs.write(node, ["orders"], ["has_where"]))
		decision.effect == "allow"
		inputs.ids(decision) == {"postgres.write"}
	}
	transaction := inputs.statement("TransactionStmt", {"flags": ["txn_control", "multi"]})
	change := inputs.statement("UpdateStmt", {"writes": inputs.named(["orders"]), "flags": ["has_where", "multi"]})
	decided(inputs.sql([transaction, change, transaction])).effect == "allow"
	decided(inputs.write("VacuumStmt", ["orders"], ["maintenance"])).effect == "allow"
}

test_one_statement_that_is_not_routine_is_enough if {
	read := inputs.statement("SelectStmt", {"reads": inputs.named(["orders"]), "flags": ["has_where", "multi"]})
	every node in ["LoadStmt", "AlterTableStmt", "InventedStmt", "CheckPointStmt"] {
		decision := decided(inputs.sql([read, inputs.statement(node, {"flags": ["multi"]})]))
		decision.effect == "hold"
		inputs.ids(decision) == {"holdpoint.default"}
	}
}
