/**
 * Owns the plan of a batch: message by message, as if all before it succeed, what has to be asked about it and what
 * answer it will get from the server. Must never change the session: it looks ahead on forks of it.
 */

import type { Action } from '../../core/admission.ts';
import { LIMITS } from '../../core/limits.ts';
import { type Refusal, refusal } from '../../core/refusal.ts';
import type { SessionEffect, SqlAnalysis } from '../sql/analysis.ts';
import type { Awaited } from './awaited.ts';
import type { TransactionStatus } from './backend.ts';
import type { Item } from './batch.ts';
import type { Plumbing } from './clearance.ts';
import { fingerprintOf } from './digest.ts';
import { displayOf, recordOf } from './display.ts';
import { factsOf } from './facts.ts';
import type { Bind, Execute, Parse } from './frontend.ts';
import { lockedRefusal } from './lock.ts';
import { isBound, isLimited } from './look-ahead.ts';
import { meaningOf } from './meaning.ts';
import type { Names, Portal } from './names.ts';
import type { Run } from './run.ts';
import type { Settings } from './settings.ts';
import {
  boundSubject,
  type Context,
  cursorSubject,
  functionSubject,
  type Subject,
  textSubject,
} from './subject.ts';

export interface Question {
  /** `preview`: only a denial counts, since nothing runs yet. */
  readonly mode: 'admit' | 'preview';
  readonly action: Action;
}

/** One message of the batch, and what becomes of it. */
export interface Step {
  readonly item: Item;
  readonly question: Question | null;
  /** It may not go on, whatever the answer. */
  readonly locked: Refusal | null;
  /** What it is when it goes on without a permit of its own; null where it needs one. */
  readonly plumbing: Plumbing | null;
  /** What the server will answer to it; null: nothing (Flush). `run` is that of its own permit, if it has one. */
  awaited(run: Run | null): Awaited | null;
}

export interface PlanOptions {
  readonly database: string;
  readonly waits: { readonly outside: number; readonly inTransaction: number };
}

export interface PlanState {
  readonly names: Names;
  readonly settings: Settings;
  readonly status: TransactionStatus;
  analysisOf(text: string): SqlAnalysis;
}

/** Steps up to the first that is refused for certain: the server would skip what follows. */
export function planBatch(items: readonly Item[], state: PlanState, options: PlanOptions): Step[] {
  const planner = new Planner(state, options);
  const steps: Step[] = [];
  for (const index of items.keys()) {
    const step = planner.step(items, index);
    if (step === null) break;
    steps.push(step);
    if (step.locked !== null) break;
  }
  return steps;
}

class Planner {
  readonly #state: PlanState;
  readonly #options: PlanOptions;
  readonly #names: Names;
  readonly #settings: Settings;
  #inTransaction: boolean;
  /** Until its end, the server runs nothing of this transaction. */
  #failed: boolean;

  constructor(state: PlanState, options: PlanOptions) {
    this.#state = state;
    this.#options = options;
    this.#names = state.names.fork();
    this.#settings = state.settings.fork();
    this.#inTransaction = state.status !== 'I';
    this.#failed = state.status === 'E';
  }

  step(items: readonly Item[], index: number): Step | null {
    const item = items[index];
    if (item === undefined) return null;
    const { message } = item;
    switch (message.kind) {
      case 'query': {
        const analysis = this.#state.analysisOf(message.text);
        const subject = textSubject('simple', analysis, this.#names);
        const awaited = (run: Run | null): Awaited => ({ kind: 'query', run, analysis });
        if (isEmpty(analysis)) return plumb(item, 'empty statement', awaited(null));
        const locked = lockedRefusal(analysis) ?? this.#inVain(analysis) ?? this.#unfollowed(analysis);
        return this.#judged(item, subject, locked, awaited);
      }
      case 'parse':
        return this.#parse(item, message, isBound(message.name, items, index + 1));
      case 'bind':
        return this.#bind(item, message, isLimited(message.portal, items, index + 1));
      case 'execute':
        return this.#execute(item, message);
      case 'function': {
        const subject = functionSubject(message.oid, message.values);
        return this.#judged(item, subject, null, (run) => ({ kind: 'function', run }));
      }
      case 'describe':
        return plumb(item, 'describe', { kind: 'describe', of: message.of, name: message.name });
      case 'close':
        if (message.of === 'statement') this.#names.forget(message.name);
        else this.#names.close(message.name);
        return plumb(item, 'close', { kind: 'close', of: message.of, name: message.name });
      case 'sync':
        return plumb(item, 'sync', { kind: 'sync' });
      case 'flush':
        return plumb(item, 'flush', null);
    }
  }

  /** Judged at its Bind when that is in the same batch; else for denial only, since nothing runs yet. */
  #parse(item: Item, { name, text, types }: Parse, bound: boolean): Step {
    const analysis = this.#state.analysisOf(text);
    const facts = analysis.statements.map((statement) => statement.facts);
    const prepared = { text, fingerprint: analysis.fingerprint, facts, analysis, types };
    this.#names.define(name, prepared);
    const awaited: Awaited = { kind: 'parse', name, prepared };
    const locked = lockedRefusal(analysis) ?? this.#inVain(analysis) ?? this.#capacity();
    if (locked === null && (isEmpty(analysis) || bound)) return plumb(item, 'parse', awaited);
    if (locked?.code === 'transaction_failed') return refuse(item, locked);
    const action = this.#action(textSubject('extended', analysis, this.#names), locked);
    return { item, question: { mode: 'preview', action }, locked, plumbing: 'parse', awaited: () => awaited };
  }

  #bind(item: Item, { portal: name, statement, values }: Bind, limited: boolean): Step {
    const prepared = this.#names.statement(statement);
    if (prepared === null) {
      const known = statement === '' ? 'unnamed prepared statement' : `prepared statement "${statement}"`;
      return refuse(item, refusal('statement_unknown', `${known} does not exist`));
    }
    const { text, fingerprint, facts, analysis } = prepared;
    const portal: Portal = {
      kind: 'bound',
      text,
      fingerprint,
      facts,
      hold: false,
      analysis,
      run: null,
      state: this.#stateFor(analysis),
    };
    this.#names.open(name, portal);
    const awaited = (run: Run | null): Awaited => {
      portal.run = run;
      return { kind: 'bind', name, portal, run };
    };
    const locked = this.#inVain(analysis) ?? this.#unfollowed(analysis) ?? this.#capacity();
    if (locked === null && analysis !== null && isEmpty(analysis))
      return plumb(item, 'empty statement', awaited(null));
    return this.#judged(item, boundSubject(prepared, values, this.#names, limited), locked, awaited);
  }

  #execute(item: Item, { portal: name }: Execute): Step {
    const portal = this.#names.portal(name);
    if (portal === null) return refuse(item, refusal('portal_unknown', `portal "${name}" does not exist`));
    if (portal.kind === 'cursor')
      return this.#judged(item, cursorSubject(portal), null, (run) => ({
        kind: 'execute',
        run,
        analysis: null,
        ran: portal.facts,
      }));
    // The server runs it as who the session is by then, and looks the names in it up by then.
    const now = this.#stateFor(portal.analysis);
    if (portal.state.length !== now.length || portal.state.some((value, index) => value !== now[index]))
      return refuse(item, STALE_PORTAL);
    const ran = portal.analysis === null ? portal.facts : [];
    this.#completed(portal.analysis);
    this.#settings.ran(ran);
    // Its run is known once its Bind was sent.
    const awaited = (): Awaited => ({ kind: 'execute', run: portal.run, analysis: portal.analysis, ran });
    return { ...plumb(item, 'execute of an admitted portal', null), awaited };
  }

  /** What the statement's meaning hangs on, beside its text. */
  #stateFor(analysis: SqlAnalysis | null): readonly (string | null)[] {
    const resolved = analysis === null ? [] : meaningOf(analysis, this.#names).resolved;
    return [...this.#settings.state, ...resolved];
  }

  /** EXECUTE runs what Parse prepared, also SET and DEALLOCATE; what they do is followed only where they stand. */
  #unfollowed(analysis: SqlAnalysis | null): Refusal | null {
    const names = (analysis?.statements ?? []).flatMap(({ effects }) =>
      effects.flatMap((effect) => (effect.kind === 'execute' ? [effect.name] : [])),
    );
    const changes = (name: string): boolean =>
      (this.#names.statement(name)?.analysis?.statements ?? []).some(({ effects }) => effects.length > 0);
    if (!names.some(changes)) return null;
    return refusal(
      'protocol_unsupported',
      'EXECUTE of a statement that changes the session: send that itself',
    );
  }

  /** Nobody is asked about what the server would not run: it answers the same. */
  #inVain(analysis: SqlAnalysis | null): Refusal | null {
    if (!this.#failed || analysis?.statements.some(({ effects }) => effects.some(endsTransaction)))
      return null;
    const words = 'current transaction is aborted, commands ignored until end of transaction block';
    return refusal('transaction_failed', words);
  }

  #judged(item: Item, subject: Subject, locked: Refusal | null, awaited: (run: Run | null) => Awaited): Step {
    if (locked?.code === 'transaction_failed') return refuse(item, locked);
    return {
      item,
      question: { mode: 'admit', action: this.#action(subject, locked) },
      locked,
      plumbing: null,
      awaited,
    };
  }

  #action(subject: Subject, barred: Refusal | null): Action {
    const { waits, database } = this.#options;
    const inTransaction = this.#inTransaction;
    const context: Context = { database, settings: this.#settings, inTransaction };
    const facts = factsOf(subject, context);
    return {
      facts,
      fingerprint: fingerprintOf(subject, context),
      // Most actions are never shown to anybody.
      get display() {
        return displayOf(facts, subject);
      },
      record: recordOf(facts, subject),
      waitMs: inTransaction ? waits.inTransaction : waits.outside,
      ...(barred === null ? {} : { barred }),
    };
  }

  /** Looks past a statement that will have completed by then. */
  #completed(analysis: SqlAnalysis | null): void {
    for (const statement of analysis?.statements ?? []) {
      this.#settings.apply(statement);
      this.#settings.ran(this.#names.ranBy(statement.effects));
      for (const effect of statement.effects) {
        this.#names.apply(effect, analysis?.text ?? '', analysis?.fingerprint ?? '');
        if (effect.kind !== 'transaction') continue;
        if (effect.what === 'begin') this.#inTransaction = true;
        if (effect.what === 'commit') this.#settings.commit();
        if (effect.what === 'rollback') this.#settings.rollback();
        if (endsTransaction(effect)) this.#failed = false;
        if (endsTransaction(effect) && effect.what !== 'rollback_to') this.#inTransaction = false;
      }
    }
  }

  #capacity(): Refusal | null {
    if (this.#names.size <= LIMITS.pgPreparedStatements) return null;
    return refusal(
      'session_capacity',
      `more than ${LIMITS.pgPreparedStatements} prepared statements and portals`,
    );
  }
}

const STALE_PORTAL = refusal(
  'hold_stale',
  'the session, or what a name stands for, changed after the portal was bound: bind it again',
);

function endsTransaction(effect: SessionEffect): boolean {
  return (
    effect.kind === 'transaction' && ['commit', 'rollback', 'rollback_to', 'prepare'].includes(effect.what)
  );
}

function plumb(item: Item, plumbing: Plumbing, awaited: Awaited | null): Step {
  return { item, question: null, locked: null, plumbing, awaited: () => awaited };
}

function refuse(item: Item, locked: Refusal): Step {
  return { item, question: null, locked, plumbing: null, awaited: () => null };
}

function isEmpty({ statements, error, flags }: SqlAnalysis): boolean {
  return statements.length === 0 && error === null && flags.length === 0;
}
