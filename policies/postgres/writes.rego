# METADATA
# title: Writes
# description: Changes to rows that reach further than the rows an agent names.
package holdpoint.postgres.writes

import data.holdpoint.facts.sql
import data.holdpoint.finding

# Whether rows that are there already are changed by it.
changes(statement) if {
	not "explain_only" in statement.flags
	some node in array.concat([statement.node], statement.nested)
	changing(node)
}

changing("DeleteStmt")

changing("UpdateStmt")

# METADATA
# title: UPDATE or DELETE of every row
# description: No WHERE, or one that is always true.
# custom:
#   id: postgres.write_without_where
#   severity: high
#   controls: [CC6.1, PI1.3]
hold contains finding.of(rego.metadata.rule(), $"changes every row of {sql.names(statement.writes)}") if {
	some statement in input.sql.statements
	changes(statement)
	unconditional(statement)
}

unconditional(statement) if {
	"no_where" in statement.flags
	changing(statement.node)
}

unconditional(statement) if "tautology" in statement.flags

# Around a write, no_where may be another query's; a nested write without one is marked as a tautology.
unconditional(statement) if {
	not "has_where" in statement.flags
	not "current_of" in statement.flags
}

# METADATA
# title: MERGE
# description: One statement that inserts, updates and deletes by a join.
# custom:
#   id: postgres.merge
#   severity: medium
#   controls: [CC6.1, PI1.3]
hold contains finding.of(rego.metadata.rule(), $"merges into {sql.names(statement.writes)}") if {
	some statement in input.sql.statements
	"MergeStmt" in array.concat([statement.node], statement.nested)
	not "explain_only" in statement.flags
}

# METADATA
# title: Bulk load
# description: Rows that arrive by COPY are not in the text that policy reads.
# custom:
#   id: postgres.bulk_import
#   severity: medium
#   controls: [CC6.1, PI1.2]
hold contains finding.of(rego.metadata.rule(), $"loads rows into {sql.names(statement.writes)} that policy does not see") if {
	some statement in input.sql.statements
	some flag in statement.flags
	data.vocabulary.sql.marks.bulk_import[flag]
}

# METADATA
# title: COPY that changes rows
# description: A COPY of a statement that writes.
# custom:
#   id: postgres.copy_dml
#   severity: high
#   controls: [CC6.1, PI1.3]
hold contains finding.of(rego.metadata.rule(), "copies out what it changes") if sql.remarkable.copy_dml

# METADATA
# title: EXPLAIN ANALYZE of a write
# description: EXPLAIN ANALYZE runs what it explains.
# custom:
#   id: postgres.explain_analyze_write
#   severity: medium
#   controls: [CC6.1]
hold contains finding.of(rego.metadata.rule(), $"runs the write to {sql.names(statement.writes)} that it explains") if {
	some statement in input.sql.statements
	"explain_analyze" in statement.flags
	count(statement.writes) > 0
}

# METADATA
# title: Locks
# description: Locks that others wait for.
# custom:
#   id: postgres.lock
#   severity: medium
#   controls: [A1.1]
hold contains finding.of(rego.metadata.rule(), "locks whole relations or the server") if {
	some flag in sql.remarkable
	data.vocabulary.sql.marks.lock[flag]
}

# METADATA
# title: Two-phase commit
# description: A prepared transaction keeps its locks when its session is gone.
# custom:
#   id: postgres.two_phase
#   severity: medium
#   controls: [A1.1]
hold contains finding.of(rego.metadata.rule(), "leaves or ends a prepared transaction") if sql.remarkable.two_phase

# METADATA
# title: A sequence set back
# description: setval can make keys collide; nextval cannot.
# custom:
#   id: postgres.setval
#   severity: low
#   controls: [PI1.3]
hold contains finding.of(rego.metadata.rule(), "sets a sequence") if {
	some statement in input.sql.statements
	some fn in statement.functions
	fn.name == "setval"
}

# METADATA
# title: A notification that carries data
# description: pg_notify with what a query reads hands rows to every listener.
# custom:
#   id: postgres.notify_data
#   severity: medium
#   controls: [CC6.7]
hold contains finding.of(rego.metadata.rule(), "sends what it reads to listeners") if {
	some statement in input.sql.statements
	"fn_notify" in statement.flags
	count(statement.reads) > 0
}
