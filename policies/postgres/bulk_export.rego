# METADATA
# title: Bulk export
# description: Reads that carry much of a relation out, and reads of relations that the security team named.
package holdpoint.postgres.bulk_export

import data.holdpoint.facts.sql
import data.holdpoint.finding

# METADATA
# title: Bulk export
# description: A read that may return most of a relation waits for a person.
# custom:
#   id: postgres.bulk_export
#   severity: high
#   controls: [CC6.1, CC6.7]
hold contains finding.of(rego.metadata.rule(), $"reads all of {sources}") if sql.remarkable.bulk_export

sources := names if {
	names := sql.names([relation | some statement in input.sql.statements; some relation in statement.reads])
	names != ""
} else := "what it names"

# METADATA
# title: Aggregated export
# description: A relation folded into few rows leaves as wholly as row by row.
# custom:
#   id: postgres.agg_export
#   severity: high
#   controls: [CC6.1, CC6.7]
hold contains finding.of(rego.metadata.rule(), $"folds {sources} into few rows") if sql.remarkable.agg_export

# METADATA
# title: Large read
# description: A LIMIT, or an estimate, above rows.bulk.
# custom:
#   id: postgres.large_read
#   severity: medium
#   controls: [CC6.1, CC6.7]
hold contains finding.of(rego.metadata.rule(), $"may read {rows} rows, more than {sql.bulk_rows}") if {
	some rows in extents
	rows > sql.bulk_rows
}

extents contains statement.limit if {
	some statement in input.sql.statements
	some relation in statement.reads
	not sql.catalogue(relation)
}

extents contains input.sql.estimate.rows if {
	not sql.flags.aggregate_only
	not sql.flags.explain_only
}

# METADATA
# title: A bound that the text does not tell
# description: A condition that a parameter can switch off, or that may hold for every row, bounds nothing.
# custom:
#   id: postgres.unknown_extent
#   severity: medium
#   controls: [CC6.1]
hold contains finding.of(rego.metadata.rule(), "has a condition that may be true of every row") if {
	some statement in input.sql.statements
	unknown_extent(statement)
	not few(statement)
}

unknown_extent(statement) if "needs_bind_value" in statement.flags

unknown_extent(statement) if "needs_row_estimate" in statement.flags

# A read that returns a known, small number of rows whatever its condition says.
few(statement) if {
	count(statement.writes) == 0
	is_number(statement.limit)
	statement.limit <= sql.bulk_rows
}

few(statement) if {
	count(statement.writes) == 0
	"aggregate_only" in statement.flags
}

# However many rows describe the database, they are nobody's data.
few(statement) if {
	count(statement.writes) == 0
	every relation in statement.reads { sql.describes(relation) }
}

few(statement) if "explain_only" in statement.flags

# METADATA
# title: Sensitive relation
# description: A relation listed in relations.sensitive is not touched without a person.
# custom:
#   id: postgres.sensitive_relation
#   severity: high
#   controls: [CC6.1, CC6.7]
hold contains finding.of(rego.metadata.rule(), $"touches {relations}, listed as sensitive") if {
	count(sql.sensitive) > 0
	relations := concat(", ", sort(sql.sensitive))
}

# METADATA
# title: COPY to the client
# description: COPY is made for bulk.
# custom:
#   id: postgres.copy_out
#   severity: high
#   controls: [CC6.1, CC6.7]
hold contains finding.of(rego.metadata.rule(), $"copies {sources} out") if sql.remarkable.copy_to
