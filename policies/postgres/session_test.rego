# METADATA
# title: Tests of the session pack
package holdpoint_test.postgres.session

import data.holdpoint
import data.holdpoint.postgres.session
import data.holdpoint_test.inputs

denied(text) := found if {
	found := inputs.ids({"rules": session.deny}) with input as text
}

held(text) := found if {
	found := inputs.ids({"rules": session.hold}) with input as text
}

set_to(settings, flags) := inputs.sql([inputs.statement("VariableSetStmt", {"settings": settings, "flags": flags})])

test_each_denial if {
	cases := {
		"encoding_change": "postgres.lexer", "encoding_attack": "postgres.lexer", "lexer_change": "postgres.lexer",
		"nul_byte": "postgres.lexer", "scs_sensitive": "postgres.lexer", "set_session_auth": "postgres.session_authorization",
		"fastpath": "postgres.fastpath", "startup_options": "postgres.startup_options",
	}
	every flag, id in cases { denied(inputs.flagged([flag])) == {id} }
}

test_what_has_no_text_or_does_not_parse_is_denied if {
	denied(inputs.sql_with([], {"parsed": false, "error": "syntax error"})) == {"postgres.unparsed"}
	denied(inputs.sql_with([], {"parsed": false, "protocol": "fastpath"})) == {"postgres.fastpath"}
}

test_role_and_search_path_ask if {
	held(inputs.flagged(["set_role"])) == {"postgres.set_role"}
	held(inputs.flagged(["search_path_change"])) == {"postgres.search_path"}
}

test_harmless_settings_pass if {
	every settings in [["application_name"], ["statement_timeout", "timezone"]] {
		count(held(set_to(settings, ["set_guc"]))) == 0
		holdpoint.decision.effect == "allow" with input as set_to(settings, ["set_guc"])
	}
	count(held(set_to(["application_name"], ["fn_set_config"]))) == 0
}

test_other_settings_ask if {
	every settings in [["*"], ["session_replication_role"], ["application_name", "row_security"], []] {
		held(set_to(settings, ["set_guc"])) == {"postgres.setting"}
	}
	held(inputs.flagged(["set_guc"])) == {"postgres.setting"}
	held(inputs.flagged(["fn_set_config"])) == {"postgres.setting"}
	some hit in session.hold with input as set_to(["row_security"], ["set_guc"])
	hit.reason == "changes row_security"
}
