/** Owns what the pipeline is given. Must never hold an implementation. */

import type { Agent } from '../core/facts.ts';
import type { Clock, EvidenceLog, HoldDesk, Ids, Meter, PolicyEngine } from '../core/ports.ts';

export type Mode = 'enforce' | 'shadow';

export interface PipelineDeps {
  readonly agent: Agent;
  readonly policy: PolicyEngine;
  readonly evidence: EvidenceLog;
  readonly desk: HoldDesk;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly meter: Meter;
  readonly mode: Mode;
  /** Milliseconds until an unanswered hold expires, where the decision names no time of its own. */
  readonly expiresIn: number;
  /** Aborts when Holdpoint is asked to stop: nothing new is admitted, and what waits is refused. */
  readonly stopping: AbortSignal;
}
