/**
 * Owns the policy's thread: answers batches of inputs, counting each answer where its host can see it, so that the
 * host knows which one a stuck or dead thread was at. An instance that trapped is replaced, as its memory is not to
 * be trusted. Must never have a clock: its host has the deadline.
 */

import { parentPort, workerData } from 'node:worker_threads';
import { createInstance, type Instance, reasonOf } from './instance.ts';
import type { Answer, WorkerOptions, WorkerReply } from './thread-messages.ts';

const WARM_UP_ROUNDS = 100;

function serve(options: WorkerOptions): void {
  const progress = new Int32Array(options.progress);
  let instance: Instance | null = null;

  const answer = (input: string): Answer => {
    try {
      instance ??= createInstance(options);
      return { result: instance(input) };
    } catch (error) {
      instance = null;
      return { trap: reasonOf(error) };
    }
  };

  instance = createInstance(options);
  for (let round = 0; round < WARM_UP_ROUNDS; round += 1) options.warmUp.forEach(answer);
  parentPort?.on('message', (inputs: string[]) => {
    Atomics.store(progress, 0, 0);
    const answers = inputs.map((input) => {
      const given = answer(input);
      Atomics.add(progress, 0, 1);
      return given;
    });
    parentPort?.postMessage({ answers } satisfies WorkerReply);
  });
  parentPort?.postMessage({ answers: [] } satisfies WorkerReply);
}

serve(workerData as WorkerOptions);
