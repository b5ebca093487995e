# METADATA
# title: Definitions
# description: Changes to what the database is, not to the rows in it, and to who may do what.
package holdpoint.postgres.definitions

import data.holdpoint.facts.sql
import data.holdpoint.finding

# Objects that hold no rows: dropping one can be undone from its definition.
rowless := {
	"DROP AGGREGATE", "DROP CAST", "DROP COLLATION", "DROP FUNCTION", "DROP INDEX", "DROP OPERATOR", "DROP POLICY",
	"DROP PROCEDURE", "DROP ROUTINE", "DROP RULE", "DROP STATISTICS", "DROP TRIGGER", "DROP VIEW",
}

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

destroys(statement) if statement.node in {"DropdbStmt", "TruncateStmt", "DropTableSpaceStmt"}

destroys(statement) if {
	statement.node == "DropStmt"
	not statement.command in rowless
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
	marks := sql.flags & {
		"cascade", "create_function", "ddl", "extension", "rename", "replace", "rls", "rule", "schema_wide", "security_definer",
		"select_into", "shadow", "temp", "trigger", "view",
	}
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
hold contains finding.of(rego.metadata.rule(), "changes who may do what") if "privilege" in sql.flags

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
	relations := concat(", ", credentials)
}

credentials contains sql.name(relation) if {
	some statement in input.sql.statements
	some relation in statement.reads
	relation.name in {
		"pg_authid", "pg_shadow", "pg_subscription", "pg_user_mapping", "pg_user_mappings", "user_mapping_options",
	}
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
	relations := concat(", ", revealing)
}

revealing contains sql.name(relation) if {
	some statement in input.sql.statements
	some relation in statement.reads
	relation.name in {
		"pg_file_settings", "pg_hba_file_rules", "pg_ident_file_mappings", "pg_largeobject", "pg_statistic",
		"pg_statistic_ext_data", "pg_stats", "pg_stats_ext", "pg_stats_ext_exprs", "pg_stat_ssl", "pg_stat_gssapi",
		"pg_stat_statements",
	}
}

revealing contains sql.name(relation) if {
	some statement in input.sql.statements
	some relation in statement.reads
	startswith(relation.schema, "pg_toast")
}
