/**
 * Owns the client's side of an open session: its messages in order, gathered into batches, each decided whole and then
 * sent on. Must never send a batch while one message of it waits, nor a message out of its order.
 */

import type { Outcome } from '../../core/admission.ts';
import { ProtocolError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Permit } from '../../core/permit.ts';
import type { Refusal } from '../../core/refusal.ts';
import type { SqlAnalysis } from '../sql/analysis.ts';
import { Batch, canBeDecided } from './batch.ts';
import type { Clearance, Cleared } from './clearance.ts';
import { flushMessage } from './encode.ts';
import type { Command, Event } from './events.ts';
import type { Frame } from './framer.ts';
import type { FrontendMessage } from './frontend.ts';
import { type Decided, Judgement } from './judgement.ts';
import { FRONTEND, typeName } from './messages.ts';
import type { Names } from './names.ts';
import { type PlanOptions, planBatch } from './plan.ts';
import type { Replies } from './replies.ts';
import { newRun } from './run.ts';
import type { Settings } from './settings.ts';
import type { Substitute } from './substitution.ts';
import { type Phase, TRANSITIONS } from './transitions.ts';

export interface ConversationOptions {
  readonly names: Names;
  readonly settings: Settings;
  readonly replies: Replies;
  readonly clearance: Clearance;
  readonly plan: PlanOptions;
  substitute(message: FrontendMessage, refusal: Refusal): Substitute;
  cached(text: string): SqlAnalysis | null;
}

type Answered = Extract<Event, { on: 'cancel' | 'analysed' | 'admitted' | 'previewed' }>;

export class Conversation {
  readonly #options: ConversationOptions;
  /** What the client sent and nothing was done about yet. */
  #backlog: Frame[] = [];
  #backlogOctets = 0;
  #gathering = new Batch();
  #judgement: Judgement | null = null;
  #lastId = 0;
  #left = false;

  constructor(options: ConversationOptions) {
    this.#options = options;
  }

  get settings(): Settings {
    return this.#options.settings;
  }

  get replies(): Replies {
    return this.#options.replies;
  }

  get left(): boolean {
    return this.#left;
  }

  get congested(): boolean {
    return this.#backlogOctets > LIMITS.pgBatchBytes;
  }

  /** Nothing is under way, on either side. */
  get idle(): boolean {
    const { replies } = this.#options;
    const still =
      this.#judgement === null && this.#backlog.length === 0 && this.#gathering.items.length === 0;
    return still && replies.quiet && !replies.skipping;
  }

  changed(id: number): string | null {
    const judgement = this.#judgement;
    if (judgement === null || !judgement.waiting().includes(id))
      return 'the statement is not waiting any more';
    const now = this.#state();
    const same = judgement.asked?.every((value, index) => value === now[index]);
    return same ? null : 'role, search_path or transaction changed meanwhile';
  }

  /** @throws ProtocolError */
  receive(frames: readonly Frame[], phase: Phase, commands: Command[]): void {
    for (const frame of frames) {
      const handling = TRANSITIONS[phase === 'copying' ? 'open' : phase].get(frame.type);
      if (handling === undefined)
        throw new ProtocolError(
          'protocol_violation',
          `a message of type ${typeName(frame.type)} is out of place`,
        );
      if (handling === 'relay') {
        const octets = this.#options.clearance.plumbing('authentication', frame.raw);
        commands.push({ do: 'send', cleared: [octets] });
        continue;
      }
      // Nobody waits for an answer any more, whatever came before it.
      if (handling === 'leave' && (this.#judgement !== null || phase !== 'open')) this.#left = true;
      this.#backlog.push(frame);
      this.#backlogOctets += frame.raw.length;
    }
  }

  take(event: Answered, commands: Command[]): void {
    switch (event.on) {
      case 'cancel':
        this.#cancel(commands);
        return;
      case 'analysed':
        this.#judgement?.learn(event.text, event.analysis);
        return;
      case 'admitted':
        if (!this.#judgement?.answer(event.id, event.admission) && 'permit' in event.admission)
          abort([event.admission.permit], commands);
        return;
      case 'previewed':
        this.#judgement?.answer(event.id, event.refusal === null ? 'pass' : { refusal: event.refusal });
    }
  }

  /** What runs is cancelled where it runs; what waits here is withdrawn. */
  #cancel(commands: Command[]): void {
    if (!this.#options.replies.quiet) commands.push({ do: 'cancel upstream' });
    else if (this.#judgement !== null) {
      this.#judgement.cancel();
      for (const id of this.#judgement.waiting()) commands.push({ do: 'withdraw', id });
    }
  }

  /** Does all that can be done now. @throws ProtocolError */
  proceed(commands: Command[]): void {
    const ready: Cleared[] = [];
    let at = 0;
    while (!this.#left) {
      if (this.#judgement !== null) {
        if (!this.#advance(this.#judgement, ready, commands)) break;
        continue;
      }
      const frame = this.#backlog[at];
      if (frame === undefined) break;
      if (this.#handle(frame, ready)) {
        this.#backlogOctets -= frame.raw.length;
        at += 1;
      }
    }
    this.#backlog.splice(0, at);
    if (ready.length > 0) commands.push({ do: 'send', cleared: ready });
  }

  /** False where what was gathered has to go first. */
  #handle(frame: Frame, ready: Cleared[]): boolean {
    const { replies, clearance } = this.#options;
    const handling = TRANSITIONS[replies.copying ? 'copying' : 'open'].get(frame.type);
    switch (handling) {
      case 'gather':
        if (replies.skipping && frame.type !== FRONTEND.sync) return true;
        if (this.#gathering.add(frame)) this.#judge();
        return true;
      case 'stream':
      case 'end copy':
        if (this.#gathering.items.length > 0) {
          this.#judge();
          return false;
        }
        ready.push(clearance.plumbing('copy data', frame.raw));
        if (handling === 'stream') replies.copied(frame.raw.length);
        else replies.push({ kind: 'copy end' });
        return true;
      case 'ignore':
        return true;
      case 'leave':
        this.#left = true;
        return true;
      default:
        throw amidCopy(frame.type);
    }
  }

  #judge(): void {
    this.#judgement = new Judgement(this.#gathering);
    this.#gathering = new Batch();
  }

  /** One step on with the batch under decision. False while it has to wait. */
  #advance(judgement: Judgement, ready: Cleared[], commands: Command[]): boolean {
    const { replies } = this.#options;
    if (judgement.asked === null) {
      for (const text of judgement.analyse(this.#options.cached)) commands.push({ do: 'analyse', text });
      if (!judgement.analysed) return false;
      if (!canBeDecided(judgement.batch, replies)) {
        // It came before the server asked for COPY data, and stands where that belongs.
        if (replies.copying) throw amidCopy(judgement.batch.items[0]?.raw[0] ?? 0);
        return false;
      }
      if (replies.skipping) return this.#skip(judgement.batch, ready);
      this.#ask(judgement, commands);
    }
    const decided = judgement.decide();
    for (const id of judgement.obsolete()) commands.push({ do: 'withdraw', id });
    if (decided === null) return false;
    this.#judgement = null;
    this.#release(judgement, decided, ready, commands);
    return true;
  }

  /** The server would discard it all, but for its Sync. */
  #skip(batch: Batch, ready: Cleared[]): boolean {
    const last = batch.items.at(-1);
    if (last?.message.kind === 'sync') {
      ready.push(this.#options.clearance.plumbing('sync', last.raw));
      this.#options.replies.push({ kind: 'sync' });
    }
    this.#judgement = null;
    return true;
  }

  #ask(judgement: Judgement, commands: Command[]): void {
    const { names, settings, replies, plan } = this.#options;
    const analysisOf = (text: string) => judgement.analysisOf(text);
    const steps = planBatch(
      judgement.batch.items,
      { names, settings, status: replies.status, analysisOf },
      plan,
    );
    judgement.ask(steps, this.#state(), () => {
      this.#lastId += 1;
      return this.#lastId;
    });
    for (const [id, question] of judgement.questions()) commands.push({ do: 'ask', id, question });
  }

  #release(judgement: Judgement, decided: Decided, ready: Cleared[], commands: Command[]): void {
    const { clearance, replies } = this.#options;
    const { steps, refusedAt } = decided;
    for (const [index, step] of steps.slice(0, refusedAt).entries()) {
      const permit = judgement.permit(index);
      if (permit !== null && step.question !== null)
        ready.push(clearance.action(permit, step.question.action.fingerprint.exact, step.item.raw));
      else if (step.plumbing !== null) ready.push(clearance.plumbing(step.plumbing, step.item.raw));
      else throw new Error('a statement was to be sent without a permit');
      const awaited = step.awaited(permit === null ? null : newRun(permit));
      if (awaited !== null) replies.push(awaited);
    }
    const refused = steps[refusedAt];
    if (refused !== undefined && decided.refusal !== null)
      this.#refuse(judgement.batch, refused.item.message, decided.refusal, ready);
    else if (judgement.batch.unanswered) ready.push(clearance.plumbing('flush', flushMessage()));
    abort(judgement.permitsFrom(refusedAt), commands);
  }

  /** The server fails the substitute, and skips to the Sync by itself: nothing else of the batch is sent. */
  #refuse(batch: Batch, message: FrontendMessage, refused: Refusal, ready: Cleared[]): void {
    const { clearance, replies, substitute } = this.#options;
    const { octets, awaited } = substitute(message, refused);
    ready.push(clearance.plumbing('failing statement', octets));
    replies.push(awaited);
    if (awaited.kind !== 'refused' || awaited.as === 'query') return;
    replies.skipping = true;
    this.#skip(batch, ready);
  }

  #state(): readonly (string | null)[] {
    return [this.#options.replies.status, ...this.#options.settings.state];
  }

  /** The session ends: nothing that waits will run. */
  abandon(commands: Command[]): void {
    for (const id of this.#judgement?.waiting() ?? []) commands.push({ do: 'withdraw', id });
    abort(this.#judgement?.permitsFrom(0) ?? [], commands);
    this.#judgement = null;
    this.#options.replies.abandon();
  }
}

function amidCopy(type: number): ProtocolError {
  return new ProtocolError(
    'protocol_violation',
    `unexpected message type ${typeName(type)} during COPY from stdin`,
  );
}

function abort(permits: readonly Permit[], commands: Command[]): void {
  const outcome: Outcome = { status: 'aborted', detail: { reason: 'not sent' } };
  for (const permit of permits) commands.push({ do: 'settle', permit, outcome });
}
