/** Owns what a policy thread and its host say to each other. Types only. Must never carry what cannot be cloned. */

import type { InstanceOptions } from './instance.ts';

export interface WorkerOptions extends InstanceOptions {
  /** One Int32: answers given in the current batch. */
  readonly progress: SharedArrayBuffer;
  /** Inputs to run before being ready, so that the first request does not pay for compilation. */
  readonly warmUp: readonly string[];
}

/** `result` is the result set as JSON text; `trap` says why there is none. */
export type Answer = { readonly result: string } | { readonly trap: string };

/** The first one, empty, says that the thread is ready. */
export interface WorkerReply {
  readonly answers: readonly Answer[];
}
