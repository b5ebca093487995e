/**
 * Owns the parser's threads: one that works and one warm spare. A text that takes too long, or breaks the parser, costs
 * its thread and gets an analysis that says so; every other request is answered. With parser-thread.ts the only file
 * here that knows threads and timers. Must never answer a request twice, or not at all.
 */

import { createRequire } from 'node:module';
import { LIMITS } from '../../core/limits.ts';
import { failed, type SqlAnalysis } from './analysis.ts';
import { type Job, Thread, type ThreadOptions, type WorkerRequest } from './parser-thread.ts';

export interface PoolOptions extends ThreadOptions {
  /** Told when a thread was replaced, and why. */
  readonly onReplaced: (reason: string) => void;
}

export interface ParserPool {
  /** Never rejects. */
  analyse(request: WorkerRequest): Promise<SqlAnalysis>;
  close(): Promise<void>;
}

/** Threads that die without ever getting ready, in a row, before requests are refused at once. */
const MAX_FAILED_STARTS = 3;
/** Milliseconds before another start is tried after that. */
const START_PAUSE = 1_000;

export function createParserPool(options: PoolOptions): ParserPool {
  return new Pool(options);
}

class Pool implements ParserPool {
  readonly #options: PoolOptions;
  readonly #queue: Job[] = [];
  #active: Thread | null = null;
  #spare: Thread | null = null;
  #failedStarts = 0;
  #pause: NodeJS.Timeout | null = null;
  #closed = false;
  /** Past its deadline, and left alone until the spare can take over: before that, ending it helps nobody. */
  #overdue: Thread | null = null;
  readonly #ending = new Set<Promise<unknown>>();

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#fill();
  }

  analyse(request: WorkerRequest): Promise<SqlAnalysis> {
    return new Promise((settle) => {
      this.#queue.push({ request, settle });
      this.#next();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#pause) clearTimeout(this.#pause);
    for (const thread of [this.#active, this.#spare]) if (thread) this.#discard(thread, 'closed');
    this.#refuseQueue('the parser is closed');
    await Promise.all(this.#ending);
  }

  /** Keeps one thread and one spare; starts are spaced out while they fail. */
  #fill(): void {
    if (this.#closed || this.#pause) return;
    this.#active ??= this.#start();
    // One start at a time: two at once would both be late.
    if (this.#active.isReady) this.#spare ??= this.#start();
  }

  #start(): Thread {
    const thread: Thread = new Thread(this.#options, {
      ready: () => {
        this.#failedStarts = 0;
        this.#endOverdue();
        this.#fill();
        this.#next();
      },
      idle: () => {
        this.#overdue = null;
        this.#next();
      },
      overdue: () => {
        this.#overdue = thread;
        if (this.#spare?.isReady || !this.#spare) this.#endOverdue();
      },
      lost: (reason) => this.#lost(thread, reason),
    });
    return thread;
  }

  #next(): void {
    if (this.#closed) this.#refuseQueue('the parser is closed');
    else if (this.#failedStarts >= MAX_FAILED_STARTS) this.#refuseQueue('the parser does not start');
    else this.#assign();
  }

  /** Gives the oldest waiting request to the working thread, when that is free. */
  #assign(): void {
    // Whichever is ready first works: at the beginning, and after a loss, that may be the spare.
    if (!this.#active?.isReady && this.#spare?.isReady) {
      [this.#active, this.#spare] = [this.#spare, this.#active];
    }
    const thread = this.#active;
    if (!thread?.isReady || thread.isBusy) return;
    if (thread.isWorn && this.#spare?.isReady) {
      this.#lost(thread, 'recycled after a large text');
      return;
    }
    const job = this.#queue.shift();
    if (job) thread.run(job);
  }

  #endOverdue(): void {
    const thread = this.#overdue;
    this.#overdue = null;
    if (thread) this.#lost(thread, `over the deadline of ${this.#options.deadline} ms`);
  }

  #lost(thread: Thread, reason: string): void {
    if (this.#overdue === thread) this.#overdue = null;
    this.#discard(thread, reason);
    if (!thread.isReady) {
      this.#failedStarts += 1;
      this.#endOverdue();
    }
    if (this.#failedStarts >= MAX_FAILED_STARTS && !this.#pause && !this.#closed) {
      this.#pause = setTimeout(() => {
        this.#pause = null;
        this.#failedStarts = 0;
        this.#fill();
      }, START_PAUSE).unref();
    }
    if (!this.#closed) this.#options.onReplaced(reason);
    this.#fill();
    this.#next();
  }

  /** Takes a thread out. The request it had is answered; nothing else is touched. */
  #discard(thread: Thread, reason: string): void {
    if (this.#active === thread) {
      this.#active = this.#spare;
      this.#spare = null;
    } else if (this.#spare === thread) {
      this.#spare = null;
    }
    const ended = thread.end(reason);
    this.#ending.add(ended);
    ended.finally(() => this.#ending.delete(ended));
  }

  #refuseQueue(reason: string): void {
    for (const { request, settle } of this.#queue.splice(0)) {
      settle(failed(request.text, request.flags, 'internal', reason));
    }
  }
}

/** What is not given. */
export function poolDefaults(): PoolOptions {
  return {
    crossCheck: false,
    deadline: LIMITS.sqlParseDeadline,
    startDeadline: LIMITS.sqlParserStart,
    onReplaced: () => {},
    entry: createRequire(import.meta.url).resolve('#sql-worker'),
  };
}
