# METADATA
# title: Hidden code
# description: Statements whose text does not show what will run.
package holdpoint.postgres.hidden_code

import data.holdpoint.facts.sql
import data.holdpoint.finding

# METADATA
# title: Anonymous block
# description: DO runs a program in a string.
# custom:
#   id: postgres.do
#   severity: high
#   controls: [CC6.1, CC6.8]
hold contains finding.of(rego.metadata.rule(), "runs an anonymous code block") if sql.remarkable.do

# METADATA
# title: SQL out of sight
# description: SQL in a string, a function body or a query that a function runs.
# custom:
#   id: postgres.hidden_sql
#   severity: high
#   controls: [CC6.1]
hold contains finding.of(rego.metadata.rule(), "runs SQL that its text does not show") if {
	some flag in sql.remarkable
	data.vocabulary.sql.marks.hidden_sql[flag]
}

# METADATA
# title: Code of others
# description: Functions, procedures and operators that are not PostgreSQL's own.
# custom:
#   id: postgres.user_code
#   severity: medium
#   controls: [CC6.1]
hold contains finding.of(rego.metadata.rule(), $"calls code that is not PostgreSQL's own ({what})") if {
	marks := sql.marked(data.vocabulary.sql.marks.user_code)
	count(marks) > 0
	what := concat(", ", marks)
}

# METADATA
# title: Unknown statement or cursor
# description: EXECUTE or FETCH of something that this session was not seen to prepare or declare.
# custom:
#   id: postgres.unknown_prepared
#   severity: medium
#   controls: [CC6.1]
hold contains finding.of(rego.metadata.rule(), "runs a prepared statement or cursor that was not seen before") if {
	some flag in sql.remarkable
	data.vocabulary.sql.marks.unknown_prepared[flag]
}

# METADATA
# title: Opaque
# description: The parser met something that Holdpoint does not model, or two parsers read it differently.
# custom:
#   id: postgres.opaque
#   severity: high
#   controls: [CC6.1]
hold contains finding.of(rego.metadata.rule(), $"cannot be read with certainty ({what})") if {
	marks := sql.marked(data.vocabulary.sql.marks.opaque)
	count(marks) > 0
	what := concat(", ", marks)
}
