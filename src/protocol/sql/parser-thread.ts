/**
 * Owns one thread of the parser, with at most one request: its start, its deadline, its loss. Must never decide what
 * replaces it.
 */

import { Worker } from 'node:worker_threads';
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

export interface ThreadOptions extends WorkerOptions {
  /** Milliseconds for one text; by default LIMITS.sqlParseDeadline. */
  readonly deadline: number;
  /** Milliseconds to start; by default LIMITS.sqlParserStart. */
  readonly startDeadline: number;
  /** The worker's file; by default the built worker.ts, through package.json's imports. */
  readonly entry: string;
}

/** Deep expressions recurse in the parser and in the walk; 64 MiB carries some 200,000 terms of `1+1+…`. */
const STACK_MEGABYTES = 64;
const HEAP_MEGABYTES = 512;
/** Characters of text after which a thread is worn: WebAssembly memory grows with the text, and never shrinks. */
const WEARING_TEXT = 256 * 1024;

export interface Job {
  readonly request: WorkerRequest;
  readonly settle: (analysis: SqlAnalysis) => void;
}

export interface ThreadEvents {
  readonly ready: () => void;
  readonly idle: () => void;
  /** The request took longer than its deadline; it goes on until the thread is ended. */
  readonly overdue: () => void;
  readonly lost: (reason: string) => void;
}

/** While it starts, or has a request, it keeps the process alive; idle, it does not. */
export class Thread {
  readonly #worker: Worker;
  readonly #events: ThreadEvents;
  readonly #deadline: number;
  #job: Job | null = null;
  #timer: NodeJS.Timeout | null = null;
  #ended = false;
  isReady = false;
  /** To be replaced once that keeps nobody waiting. */
  isWorn = false;

  constructor({ crossCheck, deadline, startDeadline, entry }: ThreadOptions, events: ThreadEvents) {
    this.#events = events;
    this.#deadline = deadline;
    const workerData: WorkerOptions = { crossCheck };
    this.#worker = new Worker(entry, {
      workerData,
      stdout: true,
      stderr: true,
      resourceLimits: { stackSizeMb: STACK_MEGABYTES, maxOldGenerationSizeMb: HEAP_MEGABYTES },
    });
    // libpg_query writes to standard output and error when it aborts; what matters comes as a message.
    this.#worker.stdout.resume();
    this.#worker.stderr.resume();
    this.#worker.on('message', (reply: WorkerReply) => this.#receive(reply));
    this.#worker.on('error', (error) => this.#lose(error.message));
    this.#worker.on('exit', () => this.#lose('the thread ended'));
    this.#timer = setTimeout(() => this.#lose('the thread did not start'), startDeadline).unref();
  }

  get isBusy(): boolean {
    return this.#job !== null;
  }

  run(job: Job): void {
    this.#job = job;
    this.#worker.ref();
    this.#timer = setTimeout(() => this.#overrun(job), this.#deadline);
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
      this.#take();
      this.#worker.unref();
      this.isReady = true;
      this.#events.ready();
    } else if ('broken' in reply) {
      this.#lose(reply.broken);
    } else {
      const job = this.#take();
      this.isWorn ||= job !== null && job.request.text.length > WEARING_TEXT;
      this.#worker.unref();
      job?.settle(reply.analysis);
      this.#events.idle();
    }
  }

  /** Where this thread itself was busy, the answer may have come and not been read yet: it goes first. */
  #overrun(job: Job): void {
    setImmediate(() => {
      if (this.#job === job) this.#events.overdue();
    });
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
