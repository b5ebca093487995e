# METADATA
# title: Tests of the bulk export pack
package holdpoint_test.postgres.bulk_export

import data.holdpoint
import data.holdpoint.postgres.bulk_export
import data.holdpoint_test.inputs

held(text) := found if {
	found := inputs.ids({"rules": bulk_export.hold}) with input as text
}

test_a_flagged_export_is_held if {
	"postgres.bulk_export" in held(inputs.select(["orders"], ["bulk_export"]))
	"postgres.bulk_export" in held(inputs.flagged(["bulk_export"]))
	"postgres.agg_export" in held(inputs.select(["orders"], ["agg_export", "has_limit"]))
	"postgres.copy_out" in held(inputs.select(["orders"], ["copy_to", "copy_stdout"]))
}

test_bounded_reads_are_not if {
	every flags in [
		["has_where"], ["no_where", "has_limit"], ["no_where", "aggregate_only"], ["no_where", "explain_only"],
		["has_where", "no_where"], ["cte", "no_where", "no_limit"],
	] {
		count(held(inputs.select(["orders"], flags))) == 0
	}
	bounded := {"reads": inputs.named(["orders"]), "flags": ["no_where", "limit_not_const"], "limit": 10}
	count(held(inputs.sql([inputs.statement("SelectStmt", bounded)]))) == 0
}

test_catalogues_are_read_whole if count(held(inputs.select(["pg_class"], ["no_where", "system_catalog"]))) == 0

test_conditions_on_catalogues_and_aggregates_are_of_no_concern if {
	every flag in ["needs_bind_value", "needs_row_estimate"] {
		count(held(inputs.select(["pg_class"], ["has_where", flag]))) == 0
		count(held(inputs.select(["orders"], ["has_where", "aggregate_only", flag]))) == 0
		held(inputs.select(["pg_class", "orders"], ["has_where", flag])) == {"postgres.unknown_extent"}
		held(inputs.select(["pg_stats"], ["has_where", flag])) == {"postgres.unknown_extent"}
		held(inputs.select(["pg_customers"], ["has_where", flag])) == {"postgres.unknown_extent"}
	}
}

test_a_large_limit_or_estimate_is_held if {
	count(held(inputs.sql([inputs.statement("SelectStmt", read_of(1000))]))) == 0
	held(inputs.sql([inputs.statement("SelectStmt", read_of(1001))])) == {"postgres.large_read"}
	estimated := {"estimate": {"rows": 5000, "cost": 1}}
	text := inputs.sql_with([inputs.statement("SelectStmt", {"flags": ["has_where"]})], estimated)
	held(text) == {"postgres.large_read"}
	counted := inputs.sql_with([inputs.statement("SelectStmt", {"flags": ["aggregate_only"]})], estimated)
	count(held(counted)) == 0
}

read_of(limit) := {"reads": inputs.named(["orders"]), "flags": ["no_where", "has_limit"], "limit": limit}

test_an_unknown_extent_is_held_unless_few_rows_can_come if {
	every flag in ["needs_bind_value", "needs_row_estimate"] {
		held(inputs.select(["orders"], ["has_where", flag])) == {"postgres.unknown_extent"}
		few := {"reads": inputs.named(["orders"]), "flags": ["has_where", "has_limit", flag], "limit": 5}
		count(held(inputs.sql([inputs.statement("SelectStmt", few)]))) == 0
		change := {"writes": inputs.named(["orders"]), "flags": ["has_where", flag], "limit": 5}
		held(inputs.sql([inputs.statement("UpdateStmt", change)])) == {"postgres.unknown_extent"}
		count(held(inputs.select(["orders"], ["explain_only", flag]))) == 0
	}
}

test_sensitive_relations_are_held_however_they_are_touched if {
	held(inputs.select(["customers"], ["has_where", "has_limit"])) == {"postgres.sensitive_relation"}
	held(inputs.write("InsertStmt", ["payments"], [])) == {"postgres.sensitive_relation"}
	some rule in bulk_export.hold with input as inputs.select(["customers"], ["has_where"])
	rule.reason == "touches customers, listed as sensitive"
}

test_it_reaches_the_decision if {
	holdpoint.decision.effect == "hold" with input as inputs.select(["customers"], ["has_where"])
}
