/**
 * Owns the way from whatever the policy answered to a decision. Anything but one well-formed decision is a deny with
 * its failure code. Pure. Must never repair an answer.
 */

import { z } from 'zod';
import { type Decision, failedVerdict, type RuleHit, type Severity, type Verdict } from '../core/decision.ts';
import { parseDuration } from '../core/duration.ts';
import { LIMITS } from '../core/limits.ts';

const text = z.string().min(1).max(LIMITS.policyText);
const duration = z.string().refine((value) => parseDuration(value) !== null, 'not a duration');

const ruleHit = z.strictObject({
  id: text,
  reason: text,
  severity: z.enum(['info', 'low', 'medium', 'high', 'critical']),
  controls: z.array(text),
});

const decisionForm = z.strictObject({
  effect: z.enum(['allow', 'hold', 'deny']),
  rules: z.array(ruleHit).min(1),
  requirements: z.array(
    z.strictObject({ groups: z.array(text).min(1), quorum: z.int().positive().max(100) }),
  ),
  expires: duration.nullable().default(null),
  grant: z
    .strictObject({ scope: z.literal('shape'), max_ttl: duration, max_uses: z.int().positive() })
    .nullable()
    .default(null),
  // What they hold does not matter yet: any obligation is refused.
  limits: z.unknown().optional(),
  mask: z.unknown().optional(),
  message: text,
});

const SEVERITIES: readonly Severity[] = ['critical', 'high', 'medium', 'low', 'info'];

/** @param results the result set: `[{ "result": decision }]`. */
export function verdictOf(results: unknown, revision: string): Verdict {
  if (!Array.isArray(results)) return malformed('the result is not a set', revision);
  if (results.length === 0) {
    return failedVerdict('policy_undefined', 'The policy gave no decision.', revision);
  }
  if (results.length > 1) return malformed('there are several decisions', revision);
  const parsed = decisionForm.safeParse((results[0] as { result?: unknown } | null)?.result);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return malformed(`${issue?.path.join('.') || 'decision'}: ${issue?.message}`, revision);
  }
  const { limits = null, mask = null, ...rest } = parsed.data;
  if (limits !== null || mask !== null) {
    return failedVerdict(
      'policy_obligation',
      'The policy asks for a limit or a mask, which cannot be enforced here.',
      revision,
    );
  }
  if ((rest.effect === 'hold') !== rest.requirements.length > 0) {
    return malformed('requirements: a hold needs at least one, and nothing else has any', revision);
  }
  const decision: Decision = { ...rest, rules: inOrder(rest.rules), limits: null, mask: null };
  return deepFreeze({ decision, revision, failure: null });
}

function malformed(problem: string, revision: string): Verdict {
  return failedVerdict('policy_malformed', `The policy gave a malformed decision (${problem}).`, revision);
}

/** Gravest first, then by id: what a reviewer reads first should matter most. */
function inOrder(rules: readonly RuleHit[]): RuleHit[] {
  const rank = (rule: RuleHit): number => SEVERITIES.indexOf(rule.severity);
  return [...rules].sort((a, b) => rank(a) - rank(b) || compare(a.id, b.id) || compare(a.reason, b.reason));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Verdicts are shared by the cache. */
function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) {
    for (const item of Object.values(value)) deepFreeze(item);
    Object.freeze(value);
  }
  return value;
}
