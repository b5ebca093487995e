/**
 * Owns the gate to the server: octets become `Cleared` only against a permit, and only `Cleared` can be sent. Spends
 * each action's permit on the digest of what was judged. Must never have another way through.
 */

import type { Permit } from '../../core/permit.ts';

/** What carries no action of its own. A Query, Bind or FunctionCall is not among it unless it is empty. */
export type Plumbing =
  | 'startup'
  | 'authentication'
  | 'parse'
  | 'describe'
  | 'close'
  | 'execute of an admitted portal'
  | 'empty statement'
  | 'sync'
  | 'flush'
  | 'copy data'
  | 'failing statement'
  | 'search_path question'
  | 'terminate';

/** Octets that may go to the server. Made by a clearance only. */
export class Cleared {
  readonly #octets: Buffer;

  /** @internal use a Clearance. */
  constructor(octets: Buffer) {
    this.#octets = octets;
  }

  /** Neighbours in memory become one again: a chunk that was cut into messages is written whole. */
  static gather(parts: readonly Cleared[]): Buffer[] {
    const whole: Buffer[] = [];
    for (const { octets } of parts.map((part) => ({ octets: part.#octets }))) {
      const last = whole.at(-1);
      if (last?.buffer === octets.buffer && last.byteOffset + last.length === octets.byteOffset)
        whole[whole.length - 1] = Buffer.from(last.buffer, last.byteOffset, last.length + octets.length);
      else whole.push(octets);
    }
    return whole;
  }
}

export interface Clearance {
  plumbing(kind: Plumbing, octets: Buffer): Cleared;
  /** @throws Fault when the permit was not given for `digest`, or was spent before. */
  action(permit: Permit, digest: string, octets: Buffer): Cleared;
}

/** `session` is the permit for this connection's plumbing, minted for the name `digest`. */
export function createClearance(session: Permit, digest: string): Clearance {
  return {
    plumbing(_kind, octets) {
      session.spend(digest);
      return new Cleared(octets);
    },
    action(permit, exact, octets) {
      permit.spend(exact);
      return new Cleared(octets);
    },
  };
}
