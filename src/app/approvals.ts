/** Owns joining the approval desk with its people and its Slack door. Must never answer a ticket. */

import { createDesk, type Desk } from '../approval/desk.ts';
import type { People } from '../approval/doors.ts';
import { createPeople } from '../approval/people.ts';
import { createSlackDoor } from '../approval/slack/door.ts';
import type { Config } from '../config/schema.ts';
import type { Logger } from '../core/ports.ts';
import { machineClock, machineIds } from './machine.ts';
import { type Attempt, attempt } from './problems.ts';
import type { State } from './state.ts';
import type { Teardown } from './teardown.ts';

export interface Approvals {
  readonly desk: Desk;
  readonly people: People;
  /**
   * How the Slack door's start went. Over HTTP its address has to be had; in Socket Mode this is settled before Slack
   * was ever reached, since an absent Slack delays tickets and nothing else.
   */
  readonly slack: Promise<Attempt<string | null>>;
}

/** Resolves once tickets of an earlier run are in order. @throws Fault when the store or the log fails. */
export async function openApprovals(
  config: Config,
  state: State,
  logger: Logger,
  teardown: Teardown,
): Promise<Approvals> {
  const { people: listed, slack: settings } = config.approvals;
  const people = createPeople(
    listed.map(({ id, slack, groups }) => ({ id, slack: slack ?? null, groups })),
    state.tokens,
  );
  const desk = createDesk({
    store: state.store,
    evidence: state.audit,
    clock: machineClock,
    ids: machineIds,
    people,
    logger,
    maxPending: config.hold.max_pending,
  });
  const door = settings
    ? createSlackDoor({ settings, doors: desk, people, clock: machineClock, logger })
    : null;
  // The door outlives the desk, to show how it closed; it subscribes before the desk recovers, to show that too.
  if (door) teardown.add('approvals.slack', () => door.stop());
  teardown.add('approval desk', () => desk.close());
  const started = door ? attempt('approvals.slack', door.start()) : Promise.resolve({ part: null });
  await desk.recover();
  return {
    desk,
    people,
    slack: settings?.mode === 'http' ? started : Promise.resolve({ part: null }),
  };
}
