# METADATA
# title: Facts of a SQL text
# description: What several PostgreSQL packs ask of input.sql.
package holdpoint.facts.sql

import data.holdpoint.facts.pattern

# METADATA
# title: Flags
# description: Those of the text and of each of its statements.
flags contains flag if some flag in input.sql.flags

flags contains flag if {
	some statement in input.sql.statements
	some flag in statement.flags
}

# METADATA
# title: Remarkable
# description: What keeps a statement from running unasked, whatever the packs say.
remarkable contains flag if {
	some flag in flags
	not data.vocabulary.sql.unremarkable[flag]
}

remarkable contains "unparsed" if not input.sql.parsed

# METADATA
# title: Remarkable flags of one sort
# description: Those that data.vocabulary.sql.marks.<list> has.
marked(list) := sort([flag | some flag in remarkable; list[flag]])

# METADATA
# title: Whether a relation is one of PostgreSQL's catalogues
catalogue(relation) if relation.schema in {"information_schema", "pg_catalog"}

catalogue(relation) if {
	relation.schema == null
	data.vocabulary.catalogues.pg_catalog[relation.name]
}

# METADATA
# title: Whether a relation only describes the database
# description: A catalogue that holds no samples of rows, statements of others, credentials or configuration.
describes(relation) if {
	catalogue(relation)
	not data.vocabulary.sql.revealing_catalogues[relation.name]
	not data.vocabulary.sql.credential_catalogues[relation.name]
}

# METADATA
# title: A relation's name for people
name(relation) := relation.name if {
	relation.schema == null
} else := $"{relation.schema}.{relation.name}"

# METADATA
# title: Several relations' names for people
names(relations) := concat(", ", all) if {
	all := distinct(relations)
	count(all) <= shown
} else := $"{concat(", ", array.slice(all, 0, shown))} and {count(all) - shown} more" if {
	all := distinct(relations)
}

distinct(relations) := sort({name(relation) | some relation in relations})

shown := 12

# METADATA
# title: Sensitive relations that are touched
# description: |
#   A pattern without a schema means that name in any schema. One with a schema also means the bare name: what the
#   search path makes of it is not certain enough to let it pass.
sensitive contains name(relation) if {
	some relation in touched
	matches_sensitive(relation)
}

touched contains relation if {
	some statement in input.sql.statements
	not "explain_only" in statement.flags
	some relation in statement.reads
}

touched contains relation if {
	some statement in input.sql.statements
	not "explain_only" in statement.flags
	some relation in statement.writes
}

touched contains {"schema": relation.schema, "name": relation.name} if some relation in input.sql.resolved

matches_sensitive(relation) if pattern.matches(data.prepared.relations.sensitive.names, lower(relation.name))

matches_sensitive(relation) if {
	relation.schema == null
	pattern.matches(data.prepared.relations.sensitive.unqualified, lower(relation.name))
}

matches_sensitive(relation) if {
	relation.schema != null
	pattern.matches(data.prepared.relations.sensitive.qualified, lower($"{relation.schema}.{relation.name}"))
}

# METADATA
# title: Rows that are a bulk
bulk_rows := object.get(data.config, ["rows", "bulk"], 1000)
