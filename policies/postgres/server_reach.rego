# METADATA
# title: Server reach
# description: Statements that use the database server's own powers, which are files, programs, network and settings.
package holdpoint.postgres.server_reach

import data.holdpoint.facts.sql
import data.holdpoint.finding

# METADATA
# title: Programs on the server
# description: COPY … PROGRAM runs a shell command as the server.
# custom:
#   id: postgres.copy_program
#   severity: critical
#   controls: [CC6.1, CC6.8]
deny contains finding.of(rego.metadata.rule(), "runs a program on the database server") if sql.remarkable.copy_program

# METADATA
# title: Files on the server
# description: COPY to or from a file, and the functions that read, write or list files.
# custom:
#   id: postgres.server_files
#   severity: critical
#   controls: [CC6.1, CC6.8]
deny contains finding.of(rego.metadata.rule(), "reads or writes files on the database server") if {
	some flag in sql.remarkable
	data.vocabulary.sql.marks.server_files[flag]
}

# METADATA
# title: The server as a client
# description: With dblink, foreign servers and subscriptions the server dials out, past every other control.
# custom:
#   id: postgres.outbound
#   severity: critical
#   controls: [CC6.6, CC6.7]
deny contains finding.of(rego.metadata.rule(), "makes the database server connect elsewhere") if {
	some flag in sql.remarkable
	data.vocabulary.sql.marks.outbound[flag]
}

# METADATA
# title: Code loaded into the server
# description: LOAD, and functions in C or an untrusted language.
# custom:
#   id: postgres.native_code
#   severity: critical
#   controls: [CC6.8]
deny contains finding.of(rego.metadata.rule(), "loads code into the database server") if {
	some flag in sql.remarkable
	data.vocabulary.sql.marks.native_code[flag]
}

# METADATA
# title: Server settings
# description: ALTER SYSTEM changes the server for everybody, up to running commands.
# custom:
#   id: postgres.alter_system
#   severity: critical
#   controls: [CC6.1, CC8.1]
deny contains finding.of(rego.metadata.rule(), "changes the server's own settings") if sql.remarkable.alter_system

# METADATA
# title: Replication
# description: Publications, slots and the replication protocol stream everything out, and keep doing so.
# custom:
#   id: postgres.replication
#   severity: critical
#   controls: [CC6.1, CC6.7]
deny contains finding.of(rego.metadata.rule(), "sets up or uses replication") if replicates

replicates if {
	some flag in sql.remarkable
	data.vocabulary.sql.marks.replication[flag]
}

replicates if input.sql.protocol == "replication"

# METADATA
# title: Server administration
# description: Other sessions cancelled or ended, logs and statistics reset, configuration reloaded.
# custom:
#   id: postgres.server_admin
#   severity: high
#   controls: [CC6.1, A1.1]
hold contains finding.of(rego.metadata.rule(), "administers the server or other sessions") if {
	some flag in sql.remarkable
	data.vocabulary.sql.marks.server_admin[flag]
}

# METADATA
# title: Large objects
# description: Large objects lie outside every relation that policy can name.
# custom:
#   id: postgres.large_object
#   severity: medium
#   controls: [CC6.1]
hold contains finding.of(rego.metadata.rule(), "reads or writes large objects") if sql.remarkable.fn_large_object

# METADATA
# title: Delay
# description: A session that sleeps keeps its locks and its connection.
# custom:
#   id: postgres.delay
#   severity: low
#   controls: [A1.1]
hold contains finding.of(rego.metadata.rule(), "keeps the session asleep") if sql.remarkable.fn_delay
