/**
 * Owns decisions: an input goes in, a verdict comes out, always. Ties together what policy may see, the cache, the
 * threads and the reading of answers. Must never allow anything that the policy did not answer in full.
 */

import { failedVerdict, type Verdict } from '../core/decision.ts';
import type { PolicyInput } from '../core/facts.ts';
import { LIMITS } from '../core/limits.ts';
import type { PolicyEngine } from '../core/ports.ts';
import { IMPURE_BUILTINS, missingBuiltins } from './builtins.ts';
import { loadBundle, type PolicyBundle, type PolicySource } from './bundle.ts';
import { createCache } from './cache.ts';
import { createEvaluator, type Evaluator } from './evaluator.ts';
import { PolicyLoadError } from './load-error.ts';
import { describeModule } from './module.ts';
import { createProjection } from './projection.ts';
import { verdictOf } from './verdict.ts';
import { WARM_UP } from './warm-up.ts';

export interface PolicyStats {
  readonly decisions: number;
  /** Of them, answered without evaluating. */
  readonly cached: number;
  /** Of them, denied because policy gave no usable answer. */
  readonly failed: number;
  /** Threads lost to a deadline, a crash or a failed start. */
  readonly threadsLost: number;
}

export interface RunningPolicy extends PolicyEngine {
  readonly revision: string;
  readonly stats: PolicyStats;
  close(): Promise<void>;
}

export interface PolicyEngineOptions extends PolicySource {
  /** Milliseconds for one evaluation; by default LIMITS.policyDeadline. */
  readonly deadline?: number;
  /** 64 KiB pages of WebAssembly memory; by default LIMITS.policyMemoryPages. */
  readonly memoryPages?: number;
  /** Told when a policy thread was lost, and why. */
  readonly onThreadLost?: (reason: string) => void;
}

/** Resolves once the policy is in force. @throws PolicyLoadError where it cannot be. */
export async function createPolicyEngine(options: PolicyEngineOptions): Promise<RunningPolicy> {
  const bundle = await loadBundle(options);
  const { module, builtins } = await describeModule(bundle.wasm);
  const missing = missingBuiltins(builtins);
  if (missing.length > 0) {
    throw new PolicyLoadError([
      `the policy needs built-in functions not offered here: ${missing.join(', ')}`,
    ]);
  }
  const counts = { decisions: 0, cached: 0, failed: 0, threadsLost: 0 };
  const evaluator = createEvaluator({
    worker: {
      module,
      data: bundle.data,
      entrypoint: bundle.entrypoint,
      maximumPages: options.memoryPages ?? LIMITS.policyMemoryPages,
      warmUp: WARM_UP.map((input) => createProjection(bundle.reads).text(input)),
    },
    deadline: options.deadline ?? LIMITS.policyDeadline,
    onLost(reason) {
      counts.threadsLost += 1;
      options.onThreadLost?.(reason);
    },
  });
  const problem = await evaluator.started;
  if (problem !== null) {
    await evaluator.close();
    throw new PolicyLoadError([`the policy does not start: ${problem}`]);
  }
  // Without the list of what is read, `time` is part of every input and none comes twice.
  const cacheable = bundle.reads !== null && !builtins.some((name) => IMPURE_BUILTINS.has(name));
  return engineOver(bundle, evaluator, cacheable, counts);
}

function engineOver(
  { revision, reads }: PolicyBundle,
  evaluator: Evaluator,
  cacheable: boolean,
  counts: { decisions: number; cached: number; failed: number; threadsLost: number },
): RunningPolicy {
  const projection = createProjection(reads);
  const cache = createCache<Promise<Verdict>>(cacheable ? LIMITS.policyCacheEntries : 0);

  const judge = async (input: PolicyInput): Promise<Verdict> => {
    const text = projection.text(input);
    if (octetsOver(text, LIMITS.policyInput)) {
      const reason = 'The request is too large for policy to judge.';
      return failedVerdict('policy_input_too_large', reason, revision);
    }
    const evaluation = await evaluator.evaluate(text);
    if ('result' in evaluation) return verdictOf(JSON.parse(evaluation.result), revision);
    const { failure, reason } = evaluation;
    return failedVerdict(failure, `The policy could not decide: ${reason}.`, revision);
  };

  const internal = (): Verdict => failedVerdict('internal', 'The policy could not be asked.', revision);

  const judgeOnce = (key: string, input: PolicyInput): Promise<Verdict> => {
    const verdict = judge(input)
      .catch(internal)
      .then((judged) => {
        if (judged.failure === null) return judged;
        // A failure may pass: the next one asks again.
        counts.failed += 1;
        if (cache.get(key) === verdict) cache.delete(key);
        return judged;
      });
    if (key.length <= LIMITS.policyCacheKey) cache.set(key, verdict);
    return verdict;
  };

  return {
    revision,
    stats: counts,
    close: () => evaluator.close(),
    decide(input: PolicyInput): Promise<Verdict> {
      counts.decisions += 1;
      let key: string;
      try {
        key = projection.key(input);
      } catch {
        counts.failed += 1;
        return Promise.resolve(internal());
      }
      const known = cache.get(key);
      if (known === undefined) return judgeOnce(key, input);
      counts.cached += 1;
      return known;
    },
  };
}

/** A UTF-16 unit is at most three octets of UTF-8: counting is seldom needed. */
function octetsOver(text: string, bound: number): boolean {
  return text.length > bound || (text.length * 3 > bound && Buffer.byteLength(text, 'utf8') > bound);
}
