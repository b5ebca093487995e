# METADATA
# title: Findings
# description: What a pack adds to allow, hold or deny.
package holdpoint.finding

# METADATA
# title: A finding
# description: |
#   Takes rego.metadata.rule() of the rule that found it, so that id, severity and controls stand once, above the rule.
#   A rule without them still fires: a hold must not vanish for want of a comment.
of(annotation, reason) := {
	"id": object.get(annotation, ["custom", "id"], "holdpoint.unnamed"),
	"reason": reason,
	"severity": object.get(annotation, ["custom", "severity"], "high"),
	"controls": object.get(annotation, ["custom", "controls"], []),
}
