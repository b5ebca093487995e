/**
 * Owns the order of replies: what was sent to the server and is not answered yet, and what each answer confirms: a
 * name, a setting, a transaction's end, an outcome. Must never let an answer go by that it did not wait for.
 */

import type { Outcome } from '../../core/admission.ts';
import { ProtocolError } from '../../core/errors.ts';
import type { SqlAnalysis } from '../sql/analysis.ts';
import { type Awaited, changesSession } from './awaited.ts';
import { commandTag, parameterTypes, readyStatus, serverError, type TransactionStatus } from './backend.ts';
import { errorResponse } from './encode.ts';
import { BACKEND, typeName } from './messages.ts';
import type { Names } from './names.ts';
import { refusalReport } from './refusal.ts';
import { outcomeOf, type Run, rowsOfTag } from './run.ts';
import type { Settings } from './settings.ts';

export interface RepliesOptions {
  readonly names: Names;
  readonly settings: Settings;
  settle(run: Run, outcome: Outcome): void;
}

export class Replies {
  readonly #options: RepliesOptions;
  #queue: Awaited[] = [];
  /** How many statements of the Query at the head have completed. */
  #completed = 0;
  #failed = false;
  /** Something of the extended protocol was done since the last Sync. */
  #unsynced = false;
  /** A Query came before that Sync: the server then reports a commit that it has not made. */
  #doubtful = false;
  #status: TransactionStatus = 'I';
  /** The server reads nothing but Sync: an error came, and the Sync was not sent yet. */
  skipping = false;
  /** The server takes COPY data, and the client has not ended it. */
  copying = false;

  constructor(options: RepliesOptions) {
    this.#options = options;
  }

  get status(): TransactionStatus {
    return this.#status;
  }

  get quiet(): boolean {
    return this.#queue.length === 0;
  }

  /** True where nothing on its way can change what a later statement means, and its batch has its Sync. */
  get steady(): boolean {
    const last = this.#queue.at(-1)?.kind;
    if (last !== undefined && last !== 'sync' && last !== 'query' && last !== 'function') return false;
    return this.#queue.every((awaited) => !changesSession(awaited));
  }

  push(awaited: Awaited): void {
    if (awaited.kind === 'copy end' && (this.copying || this.quiet)) {
      this.copying = false;
      return;
    }
    // A Sync amid COPY data is not answered (docs, "COPY Operations").
    if (awaited.kind === 'sync' && this.copying) return;
    if (awaited.kind === 'sync') this.skipping = false;
    this.#queue.push(awaited);
  }

  /** The client sent COPY data: it belongs to what the server is busy with. */
  copied(octets: number): void {
    const head = this.#queue[0];
    if (head !== undefined && 'run' in head && head.run !== null) head.run.octets += octets;
  }

  /** Takes in one message of an open session. @returns what the client gets instead, or null. @throws ProtocolError */
  message(type: number, body: Buffer | null, counts: { rows: number; octets: number }): Buffer | null {
    const head = this.#queue[0];
    if (head !== undefined && 'run' in head && head.run !== null) head.run.octets += counts.octets;
    switch (type) {
      case BACKEND.parseComplete:
        return this.#confirm('parse', ({ name, prepared }) => this.#options.names.define(name, prepared));
      case BACKEND.bindComplete:
        return this.#confirm('bind', ({ name, portal }) => this.#options.names.open(name, portal));
      case BACKEND.closeComplete:
        return this.#confirm('close', ({ of, name }) => this.#close(of, name));
      case BACKEND.parameterDescription:
        return this.#learnTypes(body);
      case BACKEND.rowDescription:
      case BACKEND.noData:
        return head?.kind === 'describe' ? this.#confirm('describe', () => {}) : null;
      case BACKEND.commandComplete:
        return this.#complete(body === null ? '' : commandTag(body), counts.rows);
      case BACKEND.emptyQuery:
        return this.#complete('', 0);
      case BACKEND.portalSuspended:
        return this.#confirm('execute', ({ run }) => suspended(run, counts.rows));
      case BACKEND.copyIn:
        return this.#beginCopy();
      case BACKEND.functionResult:
      case BACKEND.copyOut:
      case BACKEND.copyDone:
        return null;
      case BACKEND.error:
        return this.#error(body);
      case BACKEND.readyForQuery:
        return this.#ready(body);
      default:
        throw new ProtocolError('upstream_protocol', `the server sent an unexpected ${typeName(type)}`);
    }
  }

  /** The connection is over: whatever is open has no outcome that could be known. */
  abandon(): void {
    for (const awaited of this.#queue.splice(0))
      if ('run' in awaited) this.#settle(awaited.run, 'aborted', {});
    for (const run of this.#options.names.runs())
      this.#settle(run, run.executed ? 'completed' : 'aborted', {});
  }

  #confirm<Kind extends Awaited['kind']>(
    kind: Kind,
    apply: (awaited: Extract<Awaited, { kind: Kind }>) => void,
  ): null {
    const head = this.#queue[0];
    if (head?.kind !== kind) throw outOfStep(kind);
    this.#unsynced = true;
    this.#queue.shift();
    apply(head as Extract<Awaited, { kind: Kind }>);
    this.#passMarkers();
    return null;
  }

  #close(of: 'statement' | 'portal', name: string): void {
    const { names } = this.#options;
    if (of === 'statement') {
      names.forget(name);
      return;
    }
    this.#endPortal(names.portal(name)?.run ?? null);
    names.close(name);
  }

  #endPortal(run: Run | null): void {
    if (run === null) return;
    this.#settle(run, run.executed ? 'completed' : 'aborted', { suspended: true });
  }

  #learnTypes(body: Buffer | null): null {
    const head = this.#queue[0];
    if (head?.kind !== 'describe') throw outOfStep('ParameterDescription');
    const statement = this.#options.names.statement(head.name);
    if (statement !== null && body !== null) statement.types = parameterTypes(body);
    return null;
  }

  #complete(tag: string, rows: number): null {
    const head = this.#queue[0];
    if (head?.kind !== 'execute' && head?.kind !== 'query') throw outOfStep('CommandComplete');
    const { run } = head;
    if (run !== null) {
      run.executed = true;
      run.statements += 1;
      run.tag = tag;
      run.rows += rowsOfTag(tag) ?? rows;
    }
    this.#apply(head.analysis, tag);
    if (head.kind === 'execute') this.#options.settings.ran(head.ran);
    if (head.kind === 'query') {
      this.#completed += 1;
      return null;
    }
    this.#settle(run, 'completed', {});
    return this.#confirm('execute', () => {});
  }

  /** What the statement that has just completed did to the session. */
  #apply(analysis: SqlAnalysis | null, tag: string): void {
    const statement = analysis?.statements[this.#completed];
    if (!analysis || !statement) return;
    const { names, settings } = this.#options;
    settings.apply(statement);
    settings.ran(names.ranBy(statement.effects));
    for (const effect of statement.effects) names.apply(effect, analysis.text, analysis.fingerprint);
    if (tag === 'COMMIT') settings.commit();
    // ROLLBACK TO SAVEPOINT has the same tag, and ends nothing.
    const toSavepoint = statement.effects.some(
      (one) => one.kind === 'transaction' && one.what === 'rollback_to',
    );
    if (tag === 'ROLLBACK' && !toSavepoint) settings.rollback();
  }

  /** Syncs that came before the COPY data are swallowed by the server; those after its end are not. */
  #beginCopy(): null {
    const head = this.#queue[0];
    if (head?.kind !== 'execute' && head?.kind !== 'query') throw outOfStep('CopyInResponse');
    const rest = this.#queue.slice(1);
    const swallowed = rest.findIndex((awaited) => awaited.kind !== 'sync');
    const next = swallowed < 0 ? [] : rest.slice(swallowed);
    this.copying = next[0]?.kind !== 'copy end';
    this.#queue = [head, ...(this.copying ? next : next.slice(1))];
    return null;
  }

  #error(body: Buffer | null): Buffer | null {
    const { sqlstate, message } = body === null ? { sqlstate: '', message: '' } : serverError(body);
    this.copying = false;
    const head = this.#queue[0];
    // Between batches: the server is about to end the session, and says why.
    if (head === undefined) return null;
    this.#failed = true;
    const simple =
      head.kind === 'query' || head.kind === 'function' || (head.kind === 'refused' && head.as === 'query');
    if ('run' in head) this.#settle(head.run, 'failed', { sqlstate });
    if (!simple) this.#skipToSync();
    if (head.kind !== 'refused' || !message.includes(head.word)) return null;
    return errorResponse(refusalReport(head.refusal));
  }

  /** After an error the server discards messages until Sync (docs, "Extended Query"). */
  #skipToSync(): void {
    const sync = this.#queue.findIndex((awaited) => awaited.kind === 'sync');
    const skipped = this.#queue.splice(0, sync < 0 ? this.#queue.length : sync);
    for (const awaited of skipped)
      if ('run' in awaited) this.#settle(awaited.run, 'aborted', { skipped: true });
    this.skipping = sync < 0;
  }

  #ready(body: Buffer | null): null {
    const status = body === null ? null : readyStatus(body);
    const head = this.#queue[0];
    const expected =
      head?.kind === 'sync' ||
      head?.kind === 'query' ||
      head?.kind === 'function' ||
      (head?.kind === 'refused' && head.as === 'query');
    if (status === null || !expected) throw outOfStep('ReadyForQuery');
    const { names, settings } = this.#options;
    if (head.kind === 'query' || head.kind === 'refused') {
      names.forget('');
      this.#endPortal(names.portal('')?.run ?? null);
      names.close('');
    }
    if ('run' in head) {
      const several = head.run !== null && head.run.statements > 1 ? { statements: head.run.statements } : {};
      this.#settle(head.run, 'completed', several);
    }
    this.#completed = 0;
    this.#queue.shift();
    this.#passMarkers();
    this.#status = status;
    if (head.kind === 'sync') this.#unsynced = false;
    else if (this.#unsynced) this.#doubtful = true;
    if (status === 'I') {
      if (this.#doubtful) settings.doubt();
      this.#doubtful = this.#unsynced;
      if (this.#failed) settings.rollback();
      else settings.commit();
      for (const run of names.runs()) this.#endPortal(run);
      names.endTransaction();
    } else settings.goOn();
    this.#failed = false;
    return null;
  }

  #passMarkers(): void {
    while (this.#queue[0]?.kind === 'copy end') this.#queue.shift();
  }

  #settle(run: Run | null, status: Outcome['status'], more: Outcome['detail']): void {
    if (run === null || run.settled) return;
    run.settled = true;
    this.#options.settle(run, outcomeOf(run, status, more));
  }
}

function suspended(run: Run | null, rows: number): void {
  if (run === null) return;
  run.executed = true;
  run.rows += rows;
}

function outOfStep(what: string): ProtocolError {
  return new ProtocolError('upstream_protocol', `the server sent a ${what} that was not awaited`);
}
