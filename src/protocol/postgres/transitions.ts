/**
 * Owns the state table of a session: for each phase, what each message type of the client does. A type that is not in
 * its phase's row is a violation. Must never hold more than the table.
 */

import { FRONTEND } from './messages.ts';

/**
 * `authenticating`: until AuthenticationOk. `starting`: until the first ReadyForQuery. `copying`: the server takes COPY
 * data.
 */
export type Phase = 'authenticating' | 'starting' | 'open' | 'copying';

/**
 * `relay`: it is part of the authentication. `keep`: for later. `gather`: it belongs to a batch. `stream`: COPY data,
 * which goes on at once. `end copy`: so does its end. `ignore`: as the server does. `leave`: the client's last word.
 */
export type Handling = 'relay' | 'keep' | 'gather' | 'stream' | 'end copy' | 'ignore' | 'leave';

const { bind, close, describe, execute, flush, functionCall, parse, query, sync } = FRONTEND;
const { authentication, copyData, copyDone, copyFail, terminate } = FRONTEND;

function row(entries: readonly (readonly [Handling, readonly number[]])[]): ReadonlyMap<number, Handling> {
  return new Map(entries.flatMap(([handling, types]) => types.map((type) => [type, handling] as const)));
}

const BATCH = [bind, close, describe, execute, flush, functionCall, parse, query, sync];
const COPY = [copyData, copyDone, copyFail];

export const TRANSITIONS: Readonly<Record<Phase, ReadonlyMap<number, Handling>>> = {
  authenticating: row([
    ['relay', [authentication]],
    ['leave', [terminate]],
  ]),
  starting: row([
    ['keep', [...BATCH, ...COPY]],
    ['leave', [terminate]],
  ]),
  open: row([
    ['gather', BATCH],
    // Outside COPY the server ignores them: left over from a COPY that failed.
    ['stream', [copyData]],
    ['end copy', [copyDone, copyFail]],
    ['leave', [terminate]],
  ]),
  copying: row([
    ['stream', [copyData]],
    ['end copy', [copyDone, copyFail]],
    ['ignore', [flush, sync]],
    ['leave', [terminate]],
  ]),
};
