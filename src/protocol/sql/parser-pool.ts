/**
 * Owns the parser threads: one that works and one warm spare. A text that takes too long, or breaks the parser, costs
 * its thread and gets an analysis that says so; every other request is answered. Knows threads and timers, and is the
 * only file here that does. Must never answer a request twice, or not at all.
 */

import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { LIMITS } from '../../core/limits.ts';
import { failed, type SqlAnalysis } from './analysis.ts';

export interface WorkerOptions {
  /** Ask node-sql-parser too: see second-opinion.ts. */
  readonly crossCheck: boolean;
}

export interface WorkerRequest {
  readonly text: string;
  /** Flags of the text that were found before parsing. */
  readonly flags: readonly string[];
}

export type WorkerReply =
  | { readonly ready: true }
  | { readonly analysis: SqlAnalysis }
  | { readonly broken: string };

export interface PoolOptions extends WorkerOptions {
  /** Milliseconds for one text; by default LIMITS.sqlParseDeadline. */
  readonly deadline: number;
  /** Told when a thread was replaced, and why. */
  readonly onReplaced: (reason: string) => void;
}

export interface ParserPool {
  /** Never rejects. */
  analyse(request: WorkerRequest): Promise<SqlAnalysis>;
  close(): Promise<void>;
}

/** Deep expressions recurse in the parser and in the walk; 64 MiB carries some 200,000 terms of `1+1+…`. */
const STACK_MEGABYTES = 64;
const HEAP_MEGABYTES = 512;
/** Threads that die without ever getting ready, in a row, before requests are refused at once. */
const MAX_FAILED_STARTS = 3;
/** Milliseconds before another start is tried after that. */
const START_PAUSE = 1_000;

interface Job {
  readonly request: WorkerRequest;
  readonly settle: (analysis: SqlAnalysis) => void;
}

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
    this.#spare ??= this.#start();
  }

  #start(): Thread {
    const thread: Thread = new Thread(this.#options, {
      ready: () => {
        this.#failedStarts = 0;
        this.#next();
      },
      idle: () => this.#next(),
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
    const job = this.#queue.shift();
    if (job) thread.run(job);
  }

  #lost(thread: Thread, reason: string): void {
    this.#discard(thread, reason);
    if (!thread.isReady) this.#failedStarts += 1;
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

interface ThreadEvents {
  readonly ready: () => void;
  readonly idle: () => void;
  readonly lost: (reason: string) => void;
}

/** One worker thread, with at most one request. */
class Thread {
  readonly #worker: Worker;
  readonly #events: ThreadEvents;
  readonly #deadline: number;
  #job: Job | null = null;
  #timer: NodeJS.Timeout | null = null;
  #ended = false;
  isReady = false;

  constructor({ crossCheck, deadline }: PoolOptions, events: ThreadEvents) {
    this.#events = events;
    this.#deadline = deadline;
    const workerData: WorkerOptions = { crossCheck };
    this.#worker = new Worker(createRequire(import.meta.url).resolve('#sql-worker'), {
      workerData,
      stdout: true,
      stderr: true,
      resourceLimits: { stackSizeMb: STACK_MEGABYTES, maxOldGenerationSizeMb: HEAP_MEGABYTES },
    });
    this.#worker.unref();
    // libpg_query writes to standard output and error when it aborts; what matters comes as a message.
    this.#worker.stdout.resume();
    this.#worker.stderr.resume();
    this.#worker.on('message', (reply: WorkerReply) => this.#receive(reply));
    this.#worker.on('error', (error) => this.#lose(error.message));
    this.#worker.on('exit', () => this.#lose('the thread ended'));
  }

  get isBusy(): boolean {
    return this.#job !== null;
  }

  run(job: Job): void {
    this.#job = job;
    // A waiting request keeps the process alive; an idle thread does not.
    this.#worker.ref();
    this.#timer = setTimeout(() => this.#lose(`over the deadline of ${this.#deadline} ms`), this.#deadline);
    this.#worker.postMessage(job.request);
  }

  end(reason: string): Promise<unknown> {
    this.#ended = true;
    const job = this.#take();
    if (job) job.settle(failed(job.request.text, job.request.flags, 'sql_too_large', reason));
    return this.#worker.terminate();
  }

  #receive(reply: WorkerReply): void {
    if (this.#ended) return;
    if ('ready' in reply) {
      this.isReady = true;
      this.#events.ready();
    } else if ('broken' in reply) {
      this.#lose(reply.broken);
    } else {
      this.#take()?.settle(reply.analysis);
      this.#worker.unref();
      this.#events.idle();
    }
  }

  #lose(reason: string): void {
    if (!this.#ended) this.#events.lost(reason);
  }

  #take(): Job | null {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const job = this.#job;
    this.#job = null;
    return job;
  }
}

export const DEFAULT_POOL: PoolOptions = {
  crossCheck: false,
  deadline: LIMITS.sqlParseDeadline,
  onReplaced: () => {},
};
