/**
 * Owns the parser's thread: loads libpg_query, answers one request at a time. What it cannot answer for sure it
 * answers with `broken`, and its host replaces it. Must never hold state from one request to the next.
 */

import { parentPort, workerData } from 'node:worker_threads';
import { analyseText } from './analyse-text.ts';
import { loadParser } from './libpg-parser.ts';
import type { WorkerOptions, WorkerReply, WorkerRequest } from './parser-thread.ts';
import { loadSecondOpinion, type SecondOpinion } from './second-opinion.ts';

async function main(): Promise<void> {
  const port = parentPort;
  if (!port) return;
  const { crossCheck } = workerData as WorkerOptions;
  const parser = await loadParser();
  const secondOpinion: SecondOpinion | null = crossCheck ? await loadSecondOpinion() : null;
  const reply = (message: WorkerReply): void => port.postMessage(message);
  port.on('message', ({ text, flags }: WorkerRequest) => {
    try {
      const analysis = analyseText(text, flags, parser);
      reply({ analysis: secondOpinion ? secondOpinion(analysis) : analysis });
    } catch (error) {
      reply({ broken: error instanceof Error ? error.message : 'unknown' });
    }
  });
  reply({ ready: true });
}

await main();
