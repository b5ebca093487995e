# METADATA
# title: Session
# description: Statements that change who the session is, or how the server will read what comes next.
package holdpoint.postgres.session

import data.holdpoint.facts.sql
import data.holdpoint.finding

# METADATA
# title: The lexer
# description: Under other quoting or encoding rules the server would run another text than the one that was judged.
# custom:
#   id: postgres.lexer
#   severity: critical
#   controls: [CC6.1]
deny contains finding.of(rego.metadata.rule(), $"changes how the server reads statements ({what})") if {
	marks := sql.marked(data.vocabulary.sql.marks.lexer)
	count(marks) > 0
	what := concat(", ", marks)
}

# METADATA
# title: Unparsed
# description: What does not parse is not sent.
# custom:
#   id: postgres.unparsed
#   severity: high
#   controls: [CC6.1]
deny contains finding.of(rego.metadata.rule(), "cannot be parsed") if {
	not input.sql.parsed
	input.sql.protocol != "fastpath"
	input.sql.protocol != "replication"
}

# METADATA
# title: Another identity
# description: SET SESSION AUTHORIZATION makes the session somebody else.
# custom:
#   id: postgres.session_authorization
#   severity: critical
#   controls: [CC6.1, CC6.3]
deny contains finding.of(rego.metadata.rule(), "makes the session another user") if sql.remarkable.set_session_auth

# METADATA
# title: Calls without SQL
# description: The fastpath protocol calls functions by number, with nothing to read.
# custom:
#   id: postgres.fastpath
#   severity: critical
#   controls: [CC6.1]
deny contains finding.of(rego.metadata.rule(), "calls a function by number") if calls_by_number

calls_by_number if sql.remarkable.fastpath

calls_by_number if input.sql.protocol == "fastpath"

# METADATA
# title: Startup options
# description: Settings smuggled in before the first statement.
# custom:
#   id: postgres.startup_options
#   severity: high
#   controls: [CC6.1]
deny contains finding.of(rego.metadata.rule(), "starts the session with settings of its own") if {
	sql.remarkable.startup_options
}

# METADATA
# title: Role
# description: SET ROLE changes what the session may do.
# custom:
#   id: postgres.set_role
#   severity: high
#   controls: [CC6.1, CC6.3]
hold contains finding.of(rego.metadata.rule(), "changes the session's role") if {
	sql.remarkable.set_role
}

# METADATA
# title: Search path
# description: Another search path gives every bare name another meaning.
# custom:
#   id: postgres.search_path
#   severity: high
#   controls: [CC6.1]
hold contains finding.of(rego.metadata.rule(), "changes which schemas bare names mean") if {
	sql.remarkable.search_path_change
}

# METADATA
# title: A setting
# description: A setting that is not known to be harmless.
# custom:
#   id: postgres.setting
#   severity: medium
#   controls: [CC6.1]
hold contains finding.of(rego.metadata.rule(), $"changes {what}") if {
	some statement in input.sql.statements
	sets(statement)
	not harmless(statement)
	what := settings(statement)
}

sets(statement) if "set_guc" in statement.flags

sets(statement) if "fn_set_config" in statement.flags

settings(statement) := concat(", ", statement.settings) if {
	count(statement.settings) > 0
} else := "a setting"

# METADATA
# title: Whether a statement changes only settings that are known to be harmless
harmless(statement) if {
	count(statement.settings) > 0
	every setting in statement.settings { data.vocabulary.sql.harmless_settings[setting] }
}
