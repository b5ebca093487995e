# METADATA
# title: Routine
# description: |
#   What an agent does all day, and runs without a person: bounded reads, rows changed by condition, the catalogue,
#   transactions and harmless settings. Every statement of a text must be routine, and none of them remarkable.
package holdpoint.postgres.routine

import data.holdpoint.facts.sql
import data.holdpoint.finding

# METADATA
# title: Routine reads
# description: Reads that no other pack objects to.
# custom:
#   id: postgres.read
#   severity: info
#   controls: [CC6.1]
allow contains finding.of(rego.metadata.rule(), "an ordinary read") if {
	count(sql.remarkable) == 0
	count(writing) == 0
	every statement in input.sql.statements { routine(statement) }
}

# METADATA
# title: Routine writes
# description: Rows inserted, or changed under a condition.
# custom:
#   id: postgres.write
#   severity: info
#   controls: [CC6.1]
allow contains finding.of(rego.metadata.rule(), $"an ordinary write to {sql.names(writing)}") if {
	count(sql.remarkable) == 0
	count(writing) > 0
	every statement in input.sql.statements { routine(statement) }
}

writing contains relation if {
	some statement in input.sql.statements
	some relation in statement.writes
}

only_rows(nodes) if {
	every node in nodes { data.vocabulary.sql.row_nodes[node] }
}

# Rows read or changed. How many, and under what condition, the other packs have judged.
routine(statement) if {
	data.vocabulary.sql.row_nodes[statement.node]
	only_rows(statement.nested)
}

routine(statement) if {
	statement.node == "DeclareCursorStmt"
	only_rows(statement.nested)
}

routine(statement) if {
	statement.node == "PrepareStmt"
	only_rows(statement.nested)
}

routine(statement) if {
	statement.node == "ExplainStmt"
	"explain_only" in statement.flags
}

routine(statement) if {
	statement.node == "ExplainStmt"
	"explain_analyze" in statement.flags
	only_rows(statement.nested)
}

routine(statement) if data.vocabulary.sql.housekeeping[statement.node]

# VACUUM and ANALYZE as autovacuum runs them; VACUUM FULL carries the flag lock.
routine(statement) if statement.node == "VacuumStmt"
