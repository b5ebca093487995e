/**
 * Owns the decision document (design section 4, a contract): what policy answers.
 * Must never know Rego, WASM or who asked.
 */

import type { ErrorCode } from './errors.ts';

export type Effect = 'allow' | 'hold' | 'deny';
export type Severity = 'info' | 'low' | 'medium' | 'high' | 'critical';

export interface RuleHit {
  readonly id: string;
  readonly reason: string;
  readonly severity: Severity;
  /** SOC 2 criteria that this rule is evidence for. */
  readonly controls: readonly string[];
}

/** Met when `quorum` distinct people, each in one of `groups`, have approved. */
export interface Requirement {
  readonly groups: readonly string[];
  readonly quorum: number;
}

export interface GrantOffer {
  readonly scope: 'shape';
  readonly max_ttl: string;
  readonly max_uses: number;
}

export interface ResultLimits {
  readonly rows?: number;
  readonly bytes?: number;
  readonly on_exceed: 'hold' | 'cut';
}

export interface MaskRule {
  readonly relation: string;
  readonly column: string;
  readonly method: 'redact' | 'partial' | 'hash' | 'null';
}

export interface Decision {
  readonly effect: Effect;
  readonly rules: readonly RuleHit[];
  readonly requirements: readonly Requirement[];
  /** A duration such as `15m`; null where the configured default holds. */
  readonly expires: string | null;
  readonly grant: GrantOffer | null;
  readonly limits: ResultLimits | null;
  readonly mask: readonly MaskRule[] | null;
  readonly message: string;
}

/** A decision with the policy revision that made it. `failure` is set where policy could not answer: then it denies. */
export interface Verdict {
  readonly decision: Decision;
  readonly revision: string;
  readonly failure: ErrorCode | null;
}

/** The deny that stands in where policy gave no usable answer. */
export function failedVerdict(code: ErrorCode, reason: string, revision: string): Verdict {
  return {
    decision: {
      effect: 'deny',
      rules: [{ id: `holdpoint.${code}`, reason, severity: 'critical', controls: [] }],
      requirements: [],
      expires: null,
      grant: null,
      limits: null,
      mask: null,
      message: reason,
    },
    revision,
    failure: code,
  };
}
