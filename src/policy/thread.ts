/**
 * Owns one policy thread from its host's side: starts it, hands it one batch at a time, and ends it when it overruns
 * its deadline. Tells what became of it exactly once. Must never decide what happens to the requests.
 */

import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { reasonOf } from './instance.ts';
import type { Answer, WorkerOptions, WorkerReply } from './thread-messages.ts';

export interface ThreadEvents {
  ready(): void;
  answered(answers: readonly Answer[]): void;
  /** It is gone. `at` is the position in the batch that it was at; `overran` says whether that took too long. */
  lost(how: { reason: string; overran: boolean; at: number; wasReady: boolean }): void;
}

export interface ThreadOptions {
  readonly worker: Omit<WorkerOptions, 'progress'>;
  /** Milliseconds for one evaluation. */
  readonly deadline: number;
}

const HEAP_MEGABYTES = 128;
const STACK_MEGABYTES = 4;
/** The deadline is looked at this often while a batch runs. */
const LOOKS = 4;

export class Thread {
  readonly #worker: Worker;
  readonly #events: ThreadEvents;
  readonly #deadline: number;
  readonly #progress: Int32Array;
  #state: 'starting' | 'idle' | 'busy' | 'gone' = 'starting';
  #timer: NodeJS.Timeout | null = null;

  constructor({ deadline, worker }: ThreadOptions, events: ThreadEvents) {
    this.#events = events;
    this.#deadline = deadline;
    const progress = new SharedArrayBuffer(4);
    this.#progress = new Int32Array(progress);
    const file = createRequire(import.meta.url).resolve('#policy-worker');
    const workerData: WorkerOptions = { ...worker, progress };
    this.#worker = new Worker(file, {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MEGABYTES, stackSizeMb: STACK_MEGABYTES },
    });
    this.#worker.on('message', ({ answers }: WorkerReply) => this.#replied(answers));
    this.#worker.on('error', (error) => this.#end(reasonOf(error), false));
    this.#worker.on('exit', () => this.#end('the policy thread ended', false));
  }

  get isIdle(): boolean {
    return this.#state === 'idle';
  }

  run(inputs: readonly string[]): void {
    this.#state = 'busy';
    Atomics.store(this.#progress, 0, 0);
    // Only work in hand keeps the process alive.
    this.#worker.ref();
    this.#worker.postMessage(inputs);
    this.#watch(0, performance.now());
  }

  async close(): Promise<void> {
    this.#state = 'gone';
    this.#unwatch();
    await this.#worker.terminate();
  }

  #replied(answers: readonly Answer[]): void {
    const was = this.#state;
    if (was === 'gone') return;
    this.#unwatch();
    this.#state = 'idle';
    this.#worker.unref();
    if (was === 'starting') this.#events.ready();
    else this.#events.answered(answers);
  }

  /** `seen` answers had been given at `since`. */
  #watch(seen: number, since: number): void {
    this.#timer = setTimeout(() => {
      const given = Atomics.load(this.#progress, 0);
      const now = performance.now();
      if (given !== seen) this.#watch(given, now);
      else if (now - since < this.#deadline) this.#watch(seen, since);
      else this.#end('evaluation overran its deadline', true);
    }, this.#deadline / LOOKS);
  }

  #unwatch(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #end(reason: string, overran: boolean): void {
    if (this.#state === 'gone') return;
    const wasReady = this.#state !== 'starting';
    const at = Atomics.load(this.#progress, 0);
    void this.close();
    this.#events.lost({ reason, overran, at, wasReady });
  }
}
