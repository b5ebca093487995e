# METADATA
# title: Tests of SQL facts
package holdpoint_test.facts.sql

import data.holdpoint.facts.sql
import data.holdpoint_test.inputs

test_flags_are_those_of_the_text_and_of_its_statements if {
	text := inputs.sql_with([inputs.statement("SelectStmt", {"flags": ["a"]})], {"flags": ["b"]})
	sql.flags == {"a", "b"} with input as text
	sql.remarkable == {"a", "b"} with input as text
}

test_catalogues_are_told_by_schema_or_bare_name if {
	sql.catalogue({"schema": "pg_catalog", "name": "pg_class"})
	sql.catalogue({"schema": "information_schema", "name": "tables"})
	sql.catalogue({"schema": null, "name": "pg_class"})
	not sql.catalogue({"schema": "public", "name": "pg_class"})
	not sql.catalogue({"schema": null, "name": "pgbench_accounts"})
}

test_names_are_for_people if {
	sql.names([{"schema": null, "name": "b"}, {"schema": "s", "name": "a"}]) == "b, s.a"
	sql.names([]) == ""
	many := [{"schema": null, "name": $"t{number}"} | some number in numbers.range(10, 23)]
	endswith(sql.names(many), "t20, t21 and 2 more")
}

lists := {
	"names": {"exact": {"customers": true}, "prefixes": [], "suffixes": [], "globs": []},
	"qualified": {"exact": {"hr.people": true}, "prefixes": [], "suffixes": [], "globs": []},
	"unqualified": {"exact": {"people": true}, "prefixes": [], "suffixes": [], "globs": []},
}

test_sensitive_names_match_in_any_schema_and_by_either_half if {
	cases := [
		[null, "customers", true], ["x", "customers", true], [null, "Customers", true], ["hr", "people", true],
		[null, "people", true], ["other", "people", false], ["hr", "rooms", false], [null, "rooms", false],
	]
	every case in cases {
		seen := sql.sensitive with input as touched_input(case[0], case[1])
			with data.prepared.relations.sensitive as lists
		count(seen) > 0 == case[2]
	}
}

touched_input(schema, name) := inputs.sql([inputs.statement(
	"SelectStmt",
	{"reads": [{"schema": schema, "name": name}]},
)])

test_what_a_view_reads_is_touched if {
	view := inputs.sql_with(
		[inputs.statement("SelectStmt", {"reads": inputs.named(["v"])})],
		{"resolved": [{"schema": "public", "name": "customers", "kind": "table"}]},
	)
	sql.sensitive == {"public.customers"} with input as view
}

test_what_is_only_explained_is_not_touched if {
	count(sql.sensitive) == 0 with input as inputs.select(["customers"], ["explain_only"])
}

test_rows_bulk_has_a_default if sql.bulk_rows == 1000 with data.config as {}
