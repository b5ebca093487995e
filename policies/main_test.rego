# METADATA
# title: Tests of the combination
package holdpoint_test.main

import data.holdpoint
import data.holdpoint_test.inputs

# No statement with one of these is ever let through unasked.
never_unasked := {
	"bulk_export", "copy_file", "copy_program", "do", "encoding_change", "fn_file", "fn_remote_sql", "hidden_sql",
	"lexer_change", "privilege", "replication",
}

hit := {"id": "test.hit", "reason": "because", "severity": "low", "controls": []}

test_every_flag_that_must_ask_asks if {
	every flag in never_unasked {
		holdpoint.decision.effect != "allow" with input as inputs.flagged([flag])
	}
}

test_no_pack_and_no_knob_lets_them_through if {
	every flag in never_unasked {
		every default_effect in ["allow", "hold", "deny"] {
			decision := holdpoint.decision with input as inputs.flagged([flag, "has_where"])
				with data.holdpoint.postgres as {"open": {"allow": {hit}, "hold": set(), "deny": set()}}
				with data.config.default_effect as default_effect
			decision.effect == "hold"
			decision.rules == {object.union(hit, {
				"id": "postgres.remarkable", "severity": "high", "controls": ["CC6.1", "CC7.2"],
				"reason": $"carries {flag}, which is never let through unasked",
			})}
		}
	}
}

test_none_of_them_is_unremarkable if {
	every flag in never_unasked { not data.vocabulary.sql.unremarkable[flag] }
}

test_a_new_flag_asks if {
	decision := holdpoint.decision with input as inputs.flagged(["invented_yesterday"])
		with data.config.default_effect as "allow"
	decision.effect == "hold"
}

test_what_is_not_parsed_asks_though_packs_are_gone if {
	decision := holdpoint.decision with input as inputs.sql_with([], {"parsed": false})
		with data.holdpoint.postgres as {}
		with data.config.default_effect as "allow"
	decision.effect == "hold"
}

test_deny_comes_before_hold_and_hold_before_allow if {
	packs := {"one": {"allow": {hit}, "hold": {hit}, "deny": {hit}}}
	holdpoint.decision.effect == "deny" with input as inputs.select([], []) with data.holdpoint.postgres as packs
	without_deny := {"one": {"allow": {hit}, "hold": {hit}, "deny": set()}}
	holdpoint.decision.effect == "hold" with input as inputs.select([], []) with data.holdpoint.postgres as without_deny
	only_allow := {"one": {"allow": {hit}, "hold": set(), "deny": set()}}
	holdpoint.decision.effect == "allow" with input as inputs.select([], []) with data.holdpoint.postgres as only_allow
}

test_any_packs_speak_for_both_kinds if {
	packs := {"one": {"allow": {hit}, "hold": {hit}, "deny": set()}}
	holdpoint.decision.effect == "hold" with input as inputs.select([], []) with data.holdpoint.any as packs
	holdpoint.decision.effect == "hold" with input as inputs.http("GET", {}, {}) with data.holdpoint.any as packs
}

test_nothing_said_is_the_default if {
	every default_effect in ["allow", "hold", "deny"] {
		decision := holdpoint.decision with input as inputs.select([], [])
			with data.holdpoint.postgres as {}
			with data.config.default_effect as default_effect
		decision.effect == default_effect
		inputs.ids(decision) == {"holdpoint.default"}
	}
}

test_no_default_or_an_unknown_one_is_deny if {
	every config in [{}, {"default_effect": "maybe"}, {"default_effect": null}] {
		decision := holdpoint.decision with input as inputs.select([], [])
			with data.holdpoint.postgres as {}
			with data.config as config
		decision.effect == "deny"
	}
}

test_a_hold_asks_whom_the_rule_names_or_the_default if {
	approvers := {"default": ["approvers"], "postgres.bulk_export": ["data-owners"], "postgres.delay": {
		"groups": ["dba"],
		"quorum": 2,
	}}
	decision := holdpoint.decision with input as inputs.flagged(["bulk_export", "fn_delay", "do"])
		with data.config.approvers as approvers
	decision.requirements == {
		{"groups": ["approvers"], "quorum": 1},
		{"groups": ["data-owners"], "quorum": 1},
		{"groups": ["dba"], "quorum": 2},
	}
}

test_a_hold_without_approvers_names_no_group if {
	decision := holdpoint.decision with input as inputs.flagged(["do"]) with data.config.approvers as {}
	decision.requirements == {{"groups": [], "quorum": 1}}
}

test_only_a_hold_has_requirements if {
	allowed := holdpoint.decision with input as inputs.select(["orders"], ["has_where"])
	allowed.requirements == set()
	denied := holdpoint.decision with input as inputs.flagged(["copy_program", "do"])
	denied.requirements == set()
}

test_the_message_says_why if {
	held := holdpoint.decision with input as inputs.select(["orders"], ["no_where", "bulk_export"])
	held.message == "Needs approval: reads all of orders."
	denied := holdpoint.decision with input as inputs.flagged(["copy_program"])
	denied.message == "Denied by policy: runs a program on the database server."
	allowed := holdpoint.decision with input as inputs.select(["orders"], ["has_where"])
	allowed.message == "Allowed."
}

test_a_rule_without_metadata_still_fires if {
	data.holdpoint.finding.of({}, "because") == {
		"id": "holdpoint.unnamed", "reason": "because", "severity": "high", "controls": [],
	}
}
