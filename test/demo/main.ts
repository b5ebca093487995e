/**
 * `npm run demo [-- --json]`: the main job, end to end, unattended, on real parts. A real Holdpoint with a real PostgreSQL;
 * only Slack and two APIs are stand-ins, on this machine. Exits 0 only when every step really happened.
 */

import { parseArgs } from 'node:util';
import { databaseActs } from './database-acts.ts';
import { evidenceActs } from './evidence-acts.ts';
import { httpActs } from './http-acts.ts';
import { sqlAgent } from './sql-agent.ts';
import { createStage } from './stage.ts';
import { createWorld, type World } from './world.ts';

const { json } = parseArgs({ options: { json: { type: 'boolean', default: false } } }).values;
const write = (line: string): void => {
  if (!json) process.stdout.write(`${line}\n`);
};

process.exitCode = await play();

async function play(): Promise<number> {
  const started = performance.now();
  const colour = process.stdout.isTTY === true && !process.env.NO_COLOR;
  const stage = createStage(write, colour);
  write(
    'Holdpoint, the main job: an agent, its owner, a reviewer, an auditor. Slack and the APIs are stand-ins.',
  );
  let world: World;
  try {
    world = await createWorld();
  } catch (error) {
    process.stderr.write(`the demo could not start: ${error instanceof Error ? error.message : error}\n`);
    return 3;
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void world.end());
  try {
    write(`Ready after ${Math.round(world.holdpoint.readyAfter)} ms, the database made and loaded.`);
    await databaseActs(stage, world, sqlAgent());
    await httpActs(stage, world);
    await evidenceActs(stage, world);
  } finally {
    await world.end();
  }

  const acts = stage.results();
  const ok = acts.every((act) => act.ok);
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  const checks = acts.flatMap((act) => act.checks);
  const failed =
    checks.filter((check) => !check.ok).length + acts.filter((act) => act.trouble !== null).length;
  if (json) {
    const readyAfterMs = Math.round(world.holdpoint.readyAfter);
    process.stdout.write(`${JSON.stringify({ ok, seconds, readyAfterMs, acts }, null, 2)}\n`);
  } else {
    write(
      `\n${ok ? 'Every step happened' : `${failed} of it did not happen`}: ${checks.length} checks, ${seconds} s.`,
    );
    if (!ok) write(`\nHoldpoint wrote:\n${world.holdpoint.output()}`);
  }
  return ok ? 0 : 1;
}
