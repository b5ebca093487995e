# METADATA
# title: Patterns
# description: |
#   Names against the lists of data.config. Holdpoint turns each list of strings there into exact names, prefixes and
#   suffixes under the same path of data.prepared when it loads the policy: a glob compiled per request costs as much as
#   four hundred rules.
package holdpoint.facts.pattern

# METADATA
# title: Whether a name is on a list
# description: patterns is data.prepared.<knob>; value is compared as it is, so lower it first where case means nothing.
matches(patterns, value) if patterns.exact[value]

matches(patterns, value) if {
	some suffix in patterns.suffixes
	endswith(value, suffix)
}

matches(patterns, value) if {
	some prefix in patterns.prefixes
	startswith(value, prefix)
}

matches(patterns, value) if {
	some form in patterns.globs
	glob.match(form, null, value)
}
