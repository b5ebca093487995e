# METADATA
# title: Inputs for tests
# description: Whole input documents, by what matters in them.
package holdpoint_test.inputs

agent := {"id": "bot", "owner": "dana@example.com", "environment": "test", "purpose": "tests", "labels": {}}

envelope := {"version": 1, "time": "2026-01-01T12:00:00Z", "agent": agent}

named(names) := [{"schema": null, "name": name} | some name in names]

# One statement; `more` replaces its keys.
statement(node, more) := object.union(
	{
		"node": node, "nested": [], "command": "", "reads": [], "writes": [], "functions": [],
		"limit": null, "flags": [],
	},
	more,
)

# A text of these statements.
sql(statements) := sql_with(statements, {})

sql_with(statements, more) := object.union(envelope, {
	"kind": "postgres",
	"sql": object.union(
		{
			"database": "app", "user": "agent", "role": "agent", "search_path": ["public"], "in_transaction": false,
			"protocol": "extended", "text": "…", "fingerprint": "", "parameters": [], "parsed": true, "error": null,
			"statements": statements, "estimate": null, "resolved": null,
			"flags": [flag | some one in statements; some flag in one.flags],
		},
		more,
	),
})

# A statement with nothing to it but these flags.
flagged(flags) := sql([statement("SelectStmt", {"flags": flags})])

select(names, flags) := sql([statement("SelectStmt", {"reads": named(names), "flags": flags})])

write(node, names, flags) := sql([statement(node, {"writes": named(names), "flags": flags})])

# A call of a known host; `action` replaces keys of the action, `more` of everything.
http(method, action, more) := object.union(
	object.union(envelope, {
		"kind": "http",
		"attributes": {
			"request": {"http": {
				"method": method, "path": "/", "host": "api.github.com", "scheme": "https",
				"protocol": "HTTP/1.1", "headers": {}, "size": 0,
			}},
			"destination": {"address": {"socketAddress": {"address": "192.0.2.1", "portValue": 443}}},
		},
		"parsed_path": [""], "parsed_query": {}, "parsed_body": null, "truncated_body": false,
		"http": {
			"segments": [""], "ambiguous": false, "upgrade": null, "tls": {"sni": null, "intercepted": true},
			"destination_class": "public", "body_sha256": null,
		},
		"action": object.union(
			{
				"service": null, "operation": null, "resource": null, "namespace": null, "name": null, "subresource": null,
				"access": "read", "tags": [],
			},
			action,
		),
	}),
	more,
)

to_host(host) := http("GET", {}, {"attributes": {"request": {"http": {"host": host}}}})

tagged(tag) := http("POST", {"access": "write", "tags": [tag]}, {})

# The effect and the ids of its rules: what most tests compare.
ids(decision) := {rule.id | some rule in decision.rules}
