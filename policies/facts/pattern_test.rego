# METADATA
# title: Tests of patterns
package holdpoint_test.facts.pattern

import data.holdpoint.facts.pattern

patterns := {
	"exact": {"users": true}, "prefixes": ["pii_"], "suffixes": [".example.com"], "globs": ["audit_*_v2"],
}

test_a_name_is_matched_in_each_way if {
	every value in ["users", "pii_people", "api.example.com", "audit_log_v2", "audit_a.b_v2"] {
		pattern.matches(patterns, value)
	}
}

test_other_names_are_not if {
	every value in ["user", "users2", "people_pii_", "example.com", "api.example.com.evil.test", "audit_log_v3", ""] {
		not pattern.matches(patterns, value)
	}
}

test_no_list_matches_nothing if not pattern.matches({}, "users")
