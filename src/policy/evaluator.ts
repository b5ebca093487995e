/**
 * Owns the queue in front of the policy's threads: one that works and one warm spare. A request that overruns or breaks
 * its thread is answered as failed; all others of its batch go back to the head of the queue. Must never lose a request
 * nor answer one twice.
 */

import { LIMITS } from '../core/limits.ts';
import { Thread, type ThreadOptions } from './thread.ts';
import type { Answer } from './thread-messages.ts';

export type Evaluation =
  | { readonly result: string }
  | { readonly failure: 'policy_timeout' | 'policy_trap' | 'policy_unavailable'; readonly reason: string };

export interface EvaluatorOptions extends ThreadOptions {
  /** Told when a thread was lost, and why. */
  readonly onLost: (reason: string) => void;
}

export interface Evaluator {
  /** Never rejects. */
  evaluate(input: string): Promise<Evaluation>;
  /** Resolves once a thread works; the reason where none does. */
  readonly started: Promise<string | null>;
  close(): Promise<void>;
}

interface Job {
  readonly input: string;
  readonly settle: (evaluation: Evaluation) => void;
}

/** Threads lost before they were ready, in a row, before requests are refused at once. */
const MAX_FAILED_STARTS = 3;
/** Milliseconds before another start is tried after that. */
const START_PAUSE = 1_000;

export function createEvaluator(options: EvaluatorOptions): Evaluator {
  return new Pool(options);
}

class Pool implements Evaluator {
  readonly #options: EvaluatorOptions;
  readonly #queue: Job[] = [];
  #batch: Job[] = [];
  #active: Thread | null = null;
  #spare: Thread | null = null;
  #failedStarts = 0;
  #pause: NodeJS.Timeout | null = null;
  #scheduled = false;
  #closed = false;
  readonly started: Promise<string | null>;
  #tellStarted: (problem: string | null) => void = () => {};

  constructor(options: EvaluatorOptions) {
    this.#options = options;
    this.started = new Promise((resolve) => {
      this.#tellStarted = resolve;
    });
    this.#active = this.#start();
  }

  evaluate(input: string): Promise<Evaluation> {
    return new Promise((settle) => {
      this.#queue.push({ input, settle });
      if (this.#scheduled) return;
      // What arrives in the same turn of the event loop goes as one batch: a message costs more than an evaluation.
      this.#scheduled = true;
      queueMicrotask(() => {
        this.#scheduled = false;
        this.#next();
      });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#pause) clearTimeout(this.#pause);
    const threads = [this.#active, this.#spare];
    this.#queue.unshift(...this.#batch);
    this.#batch = [];
    this.#refuse('the policy engine is closed');
    this.#tellStarted('the policy engine is closed');
    await Promise.all(threads.map((thread) => thread?.close()));
  }

  #start(): Thread {
    const thread: Thread = new Thread(this.#options, {
      ready: () => this.#ready(),
      answered: (answers) => this.#answered(answers),
      lost: (how) => this.#lost(thread, how),
    });
    return thread;
  }

  #ready(): void {
    this.#failedStarts = 0;
    this.#tellStarted(null);
    this.#spare ??= this.#start();
    this.#next();
  }

  #answered(answers: readonly Answer[]): void {
    const batch = this.#batch;
    this.#batch = [];
    this.#next();
    for (const [index, job] of batch.entries()) job.settle(evaluationOf(answers[index]));
  }

  #lost(thread: Thread, how: { reason: string; overran: boolean; at: number; wasReady: boolean }): void {
    if (this.#closed) return;
    this.#options.onLost(how.reason);
    if (!how.wasReady) this.#failedStarts += 1;
    if (thread === this.#spare) this.#spare = null;
    else {
      this.#active = this.#spare;
      this.#spare = null;
      this.#giveBack(how);
    }
    this.#refill(how.reason);
    this.#next();
  }

  /** The one that it was at has failed; the rest was not, or is not known to be, answered. */
  #giveBack({ at, overran, reason }: { at: number; overran: boolean; reason: string }): void {
    const [culprit] = this.#batch.splice(at, 1);
    this.#queue.unshift(...this.#batch);
    this.#batch = [];
    culprit?.settle({ failure: overran ? 'policy_timeout' : 'policy_trap', reason });
  }

  #refill(reason: string): void {
    if (this.#pause) return;
    if (this.#failedStarts < MAX_FAILED_STARTS) {
      this.#active ??= this.#start();
      this.#spare ??= this.#start();
      return;
    }
    this.#tellStarted(reason);
    this.#pause = setTimeout(() => {
      this.#pause = null;
      this.#active ??= this.#start();
    }, START_PAUSE);
    this.#pause.unref();
  }

  #next(): void {
    if (this.#closed) this.#refuse('the policy engine is closed');
    else if (this.#batch.length > 0 || this.#queue.length === 0) return;
    else if (this.#active?.isIdle) {
      this.#batch = this.#queue.splice(0, LIMITS.policyBatch);
      this.#active.run(this.#batch.map((job) => job.input));
    } else if (this.#spare?.isIdle) {
      [this.#active, this.#spare] = [this.#spare, this.#active];
      this.#next();
    } else if (this.#failedStarts >= MAX_FAILED_STARTS) this.#refuse('the policy does not start');
  }

  #refuse(reason: string): void {
    for (const job of this.#queue.splice(0)) job.settle({ failure: 'policy_unavailable', reason });
  }
}

function evaluationOf(answer: Answer | undefined): Evaluation {
  if (answer === undefined) return { failure: 'policy_trap', reason: 'the policy thread lost an answer' };
  return 'trap' in answer ? { failure: 'policy_trap', reason: answer.trap } : answer;
}
