# METADATA
# title: Definitions
# description: Changes to what the database is, not to the rows in it, and to who may do what.
package holdpoint.postgres.definitions

import data.holdpoint.facts.sql
import data.holdpoint.finding

# METADATA
# title: Destruction
# description: Dropping what holds rows, or emptying it, has no way back.
# custom:
#   id: postgres.destruction
#   severity: critical
#   controls: [CC6.1, A1.2]
deny contains finding.of(rego.metadata.rule(), $"destroys {what}") if {
	some statement in input.sql.statements
	destroys(statement)
	what := target(statement)
}

destroys(statement) if statement.node == "TruncateStmt"

destroys(statement) if statement.node == "DropdbStmt"

destroys(statement) if statement.node == "DropTableSpaceStmt"

destroys(statement) if {
	statement.node == "DropStmt"
	not data.vocabulary.sql.rowless_drops[statement.command]
}

target(statement) := sql.names(statement.writes) if {
	count(statement.writes) > 0
} else := "what holds data"

# METADATA
# title: Definition
# description: A table, view, index, function, rule, trigger or the like is made, changed or dropped.
# custom:
#   id: postgres.ddl
#   severity: high
#   controls: [CC6.1, CC8.1]
hold contains finding.of(rego.metadata.rule(), $"changes definitions ({what})") if {
	marks := sql.marked(data.vocabulary.sql.marks.definition)
	count(marks) > 0
	what := concat(", ", marks)
}

# METADATA
# title: Privileges
# description: GRANT, REVOKE, roles, passwords, owners, labels.
# custom:
#   id: postgres.privilege
#   severity: critical
#   controls: [CC6.2, CC6.3]
hold contains finding.of(rego.metadata.rule(), "changes who may do what") if sql.remarkable.privilege

# METADATA
# title: Catalogue written
# description: The catalogues are changed by commands, never by hand; pg_settings is one of them.
# custom:
#   id: postgres.catalogue_write
#   severity: critical
#   controls: [CC6.1, CC8.1]
deny contains finding.of(rego.metadata.rule(), $"writes to {sql.names(catalogues)}") if {
	some statement in input.sql.statements
	catalogues := [relation | some relation in statement.writes; sql.catalogue(relation)]
	count(catalogues) > 0
	not statement.node == "VacuumStmt"
}

# METADATA
# title: Password hashes
# description: Catalogues that hold credentials are not read.
# custom:
#   id: postgres.credentials
#   severity: critical
#   controls: [CC6.1]
deny contains finding.of(rego.metadata.rule(), $"reads credentials from {relations}") if {
	count(credentials) > 0
	relations := concat(", ", sort(credentials))
}

credentials contains sql.name(relation) if {
	some statement in input.sql.statements
	some relation in statement.reads
	data.vocabulary.sql.credential_catalogues[relation.name]
}

# METADATA
# title: Catalogues that hold rows or the server's configuration
# description: Statistics hold samples of every column, large objects and TOAST relations hold data.
# custom:
#   id: postgres.revealing_catalogue
#   severity: high
#   controls: [CC6.1]
hold contains finding.of(rego.metadata.rule(), $"reads {relations}, which reveals rows or configuration") if {
	count(revealing) > 0
	relations := concat(", ", sort(revealing))
}

revealing contains sql.name(relation) if {
	some statement in input.sql.statements
	not counts(statement)
	some relation in statement.reads
	data.vocabulary.sql.revealing_catalogues[relation.name]
}

# How many sessions there are reveals none of them; max(query) does.
counts(statement) if {
	"aggregate_only" in statement.flags
	every fn in statement.functions { fn.name == "count" }
}

revealing contains sql.name(fn) if {
	some statement in input.sql.statements
	some fn in statement.functions
	data.vocabulary.sql.revealing_functions[fn.name]
}

revealing contains sql.name(relation) if {
	some statement in input.sql.statements
	some relation in statement.reads
	startswith(relation.schema, "pg_toast")
}
