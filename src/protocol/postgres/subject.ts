/**
 * Owns the subject: one thing to judge, read whole: what it means and what is bound to it. Must never know policy,
 * nor where the subject stands in its batch.
 */

import type { SqlProtocol } from '../../core/facts.ts';
import type { SqlAnalysis } from '../sql/analysis.ts';
import type { BoundValue } from './frontend.ts';
import { type Meaning, meaningByName, meaningOf, withLimit } from './meaning.ts';
import type { Names, Portal, Prepared } from './names.ts';
import type { Settings } from './settings.ts';

/** What gives a statement its meaning beside its text. */
export interface Context {
  readonly database: string;
  readonly settings: Settings;
  readonly inTransaction: boolean;
}

export interface Subject {
  readonly protocol: SqlProtocol;
  readonly meaning: Meaning;
  readonly values: readonly BoundValue[];
  /** Type OIDs of the values. */
  readonly types: readonly number[];
  /** The client asks for some of its rows at a time. */
  readonly limited: boolean;
}

const UNBOUND = { values: [], types: [], limited: false };

export function textSubject(protocol: SqlProtocol, analysis: SqlAnalysis, names: Names): Subject {
  return { protocol, meaning: meaningOf(analysis, names), ...UNBOUND };
}

/** A Bind of `prepared`, with its values. */
export function boundSubject(
  prepared: Prepared,
  values: readonly BoundValue[],
  names: Names,
  limited: boolean,
): Subject {
  const { analysis, types } = prepared;
  const meaning =
    analysis === null
      ? meaningByName(prepared)
      : withLimit(meaningOf(analysis, names), analysis, values, types);
  return { protocol: 'extended', meaning, values, types, limited };
}

/** An Execute of a SQL cursor: as FETCH, but with no text of its own. */
export function cursorSubject(cursor: Portal): Subject {
  return { protocol: 'extended', meaning: meaningByName(cursor), ...UNBOUND };
}

/** Fastpath: no SQL, and a function known only by its OID. */
export function functionSubject(oid: number, values: readonly BoundValue[]): Subject {
  const text = `fastpath function call, oid ${oid}`;
  const meaning = { text, fingerprint: '', statements: [], flags: ['fastpath'], error: null, resolved: [] };
  return { ...UNBOUND, protocol: 'fastpath', meaning, values };
}
