/**
 * Owns collecting what is wrong at the start, so that an operator reads all of it in one go. Must never catch a
 * programming error.
 */

import { Fault, messageOf } from '../core/errors.ts';

/** What keeps Holdpoint from starting; one clear line each. */
export class StartProblems extends Error {
  readonly lines: readonly string[];
  constructor(lines: readonly string[]) {
    super(lines.join('\n'));
    this.name = 'StartProblems';
    this.lines = lines;
  }
}

/** A part that was asked for, or the line that says why it cannot be had. */
export type Attempt<T> = { readonly part: T } | { readonly problem: string };

/** Awaits `part`; what it throws becomes a line that begins with `key`. A programming error is not caught. */
export async function attempt<T>(
  key: string,
  part: Promise<T> | (() => Promise<T> | T),
): Promise<Attempt<T>> {
  try {
    return { part: await (typeof part === 'function' ? part() : part) };
  } catch (error) {
    if (error instanceof TypeError || error instanceof ReferenceError) throw error;
    const detail = error instanceof Fault ? error.message : (messageOf(error).split('\n')[0] ?? '');
    return { problem: detail.startsWith(`${key}:`) ? detail : `${key}: ${detail}` };
  }
}

/** The lines of those that failed. */
export function problemsIn(attempts: readonly Attempt<unknown>[]): string[] {
  return attempts.flatMap((one) => ('problem' in one ? [one.problem] : []));
}

/** The part of an attempt that succeeded. @throws Error for one that did not: look at problemsIn first. */
export function partOf<T>(one: Attempt<T>): T {
  if ('part' in one) return one.part;
  throw new Error(one.problem);
}
