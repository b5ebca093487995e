/** What a session keeps is bounded, and each bound is where it says. */

import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { Batch } from '../../../src/protocol/postgres/batch.ts';
import { Names } from '../../../src/protocol/postgres/names.ts';
import { planBatch } from '../../../src/protocol/postgres/plan.ts';
import { Settings } from '../../../src/protocol/postgres/settings.ts';
import { message } from './bytes.ts';
import { clientMessage, play, serverMessage } from './playbook.ts';
import { analysis } from './sample-analysis.ts';

const MIB = 1024 * 1024;

function opened(): ReturnType<typeof play> {
  const played = play(analysis);
  played.perform({ on: 'client octets', chunk: clientMessage('startup') });
  const opening = ['R 0', 'S search_path=public', 'K', 'Z I'].map(serverMessage);
  played.perform({ on: 'server octets', chunk: Buffer.concat(opening) });
  return played;
}

describe('a batch', () => {
  it('is decided when it has so many messages, and the server is made to answer', () => {
    const played = opened();
    const chunk = clientMessage('D S s');
    for (let count = 1; count < LIMITS.pgBatchMessages; count += 1)
      expect(played.perform({ on: 'client octets', chunk })).toEqual([]);
    const [sent] = played.perform({ on: 'client octets', chunk });
    expect(sent?.split(' | ').length).toBe(LIMITS.pgBatchMessages + 1);
    expect(sent?.endsWith('D | H')).toBe(true);
  });

  it('is decided when it has so many octets', () => {
    const batch = new Batch();
    const raw = message(
      'P',
      Buffer.concat([Buffer.from('\0'), Buffer.alloc(MIB - 9, 'x'), Buffer.from('\0\0\0')]),
    );
    expect(raw.length).toBe(MIB);
    const full = Array.from({ length: LIMITS.pgBatchBytes / MIB }, () =>
      batch.add({ type: raw.readUInt8(0), raw }),
    );
    expect(full.indexOf(true)).toBe(full.length - 1);
  });
});

describe('what a client sends while a batch waits', () => {
  it('is kept up to a bound, and then the session is congested', () => {
    const played = opened();
    expect(played.perform({ on: 'client octets', chunk: clientMessage('Q select 1') })).toEqual([
      'ask 1 admit: select 1',
    ]);
    const chunk = message('d', Buffer.alloc(MIB - 5));
    for (let count = 0; count < LIMITS.pgBatchBytes / MIB; count += 1)
      played.perform({ on: 'client octets', chunk });
    expect(played.session.congested).toBe(false);
    played.perform({ on: 'client octets', chunk: message('d', '') });
    expect(played.session.congested).toBe(true);
    played.answer('allow 1');
    expect(played.session.congested).toBe(false);
  });
});

describe('the names of a session', () => {
  it('are so many, and one more is refused', () => {
    const names = new Names();
    const prepared = { text: '', fingerprint: '', facts: [], analysis: null, types: [] };
    const settings = new Settings('ann');
    const plan = (): string[] => {
      const batch = new Batch();
      const raw = clientMessage('P one-more: select 1');
      batch.add({ type: raw.readUInt8(0), raw });
      const analysisOf = (text: string) =>
        analysis(text) ?? { text, fingerprint: '', statements: [], flags: [], error: null };
      const state = { names, settings, status: 'I', analysisOf } as const;
      const options = { database: 'app', waits: { outside: 1, inTransaction: 1 } };
      return planBatch(batch.items, state, options).map(({ locked }) => locked?.code ?? 'goes on');
    };
    for (let count = 1; count < LIMITS.pgPreparedStatements; count += 1) names.define(`s${count}`, prepared);
    expect(plan()).toEqual(['goes on']);
    names.define('last', prepared);
    expect(plan()).toEqual(['session_capacity']);
  });
});
