/**
 * Owns one batch while it is decided: its questions, the answers so far, and the first refusal in its order.
 * Must never release a part of it before the whole is decided.
 */

import type { ErrorCode } from '../../core/errors.ts';
import type { Permit } from '../../core/permit.ts';
import { type Refusal, refusal } from '../../core/refusal.ts';
import type { SqlAnalysis } from '../sql/analysis.ts';
import type { Batch } from './batch.ts';
import type { Step } from './plan.ts';

export type Answer = { readonly permit: Permit } | { readonly refusal: Refusal } | 'pass';

/** Decided: all of it goes on, or all before `refusedAt` and instead of that a refusal. */
export interface Decided {
  readonly steps: readonly Step[];
  readonly refusedAt: number;
  readonly refusal: Refusal | null;
}

export class Judgement {
  readonly batch: Batch;
  /** What the session was when the questions were asked. */
  asked: readonly (string | null)[] | null = null;
  readonly #analyses = new Map<string, SqlAnalysis>();
  /** Texts whose analysis is awaited. */
  readonly #missing = new Set<string>();
  #steps: readonly Step[] = [];
  #answers = new Map<number, Answer>();
  #ids = new Map<number, number>();
  #cancelled = false;

  constructor(batch: Batch) {
    this.batch = batch;
  }

  /** Looks up what is at hand, and gives the texts that have to be asked for: each once. */
  analyse(cached: (text: string) => SqlAnalysis | null): string[] {
    const wanted: string[] = [];
    for (const { message } of this.batch.items) {
      if (message.kind !== 'query' && message.kind !== 'parse') continue;
      const { text } = message;
      if (this.#analyses.has(text) || this.#missing.has(text)) continue;
      const analysis = message.valid ? atHand(text, cached) : unreadable(text, 'sql_encoding', NOT_UTF8);
      if (analysis !== null) this.#analyses.set(text, analysis);
      else {
        this.#missing.add(text);
        wanted.push(text);
      }
    }
    return wanted;
  }

  learn(text: string, analysis: SqlAnalysis): void {
    if (this.#missing.delete(text)) this.#analyses.set(text, analysis);
  }

  get analysed(): boolean {
    return this.#missing.size === 0;
  }

  analysisOf(text: string): SqlAnalysis {
    return this.#analyses.get(text) ?? unreadable(text, 'internal', 'the statement was not analysed');
  }

  /** Step index of each question by its id, for the shell to ask. */
  ask(steps: readonly Step[], state: readonly (string | null)[], nextId: () => number): void {
    this.#steps = steps;
    this.asked = state;
    for (const [index, step] of steps.entries()) if (step.question !== null) this.#ids.set(nextId(), index);
  }

  *questions(): Iterable<[number, NonNullable<Step['question']>]> {
    for (const [id, index] of this.#ids) {
      const question = this.#steps[index]?.question;
      if (question) yield [id, question];
    }
  }

  /** False where the question is none of this batch's. */
  answer(id: number, answer: Answer): boolean {
    const index = this.#ids.get(id);
    if (index === undefined) return false;
    this.#answers.set(index, answer);
    return true;
  }

  /** The client cancelled while it waited. */
  cancel(): void {
    this.#cancelled = true;
  }

  permit(index: number): Permit | null {
    const answer = this.#answers.get(index);
    return typeof answer === 'object' && 'permit' in answer ? answer.permit : null;
  }

  unanswered(): number[] {
    return [...this.#ids].filter(([, index]) => !this.#answers.has(index)).map(([id]) => id);
  }

  /** Permits for what does not run after all. */
  permitsFrom(first: number): Permit[] {
    return [...this.#answers.keys()]
      .filter((index) => index >= first)
      .flatMap((index) => this.permit(index) ?? []);
  }

  /** Null while an answer is awaited that it depends on. */
  decide(): Decided | null {
    const steps = this.#steps;
    for (const [index, { question, locked }] of steps.entries()) {
      const refused = question === null ? locked : this.#refusalOf(index, locked);
      if (refused === 'waiting') return null;
      if (refused !== null) return { steps, refusedAt: index, refusal: refused };
    }
    return { steps, refusedAt: steps.length, refusal: null };
  }

  #refusalOf(index: number, locked: Refusal | null): Refusal | null | 'waiting' {
    const answer = this.#answers.get(index);
    if (answer === undefined) return 'waiting';
    if (typeof answer === 'object' && 'refusal' in answer) return answer.refusal;
    if (locked !== null || !this.#cancelled) return locked;
    return refusal('hold_withdrawn', 'canceling statement due to user request');
  }
}

const NOT_UTF8 = 'the statement is not valid UTF-8';

/** The parser takes no empty text; the server does. */
function atHand(text: string, cached: (text: string) => SqlAnalysis | null): SqlAnalysis | null {
  return text === '' ? { text, fingerprint: '', statements: [], flags: [], error: null } : cached(text);
}

/** Stands for text that there is no analysis of: it is refused. */
function unreadable(text: string, code: ErrorCode, message: string): SqlAnalysis {
  return { text, fingerprint: '', statements: [], flags: [], error: { code, message } };
}
