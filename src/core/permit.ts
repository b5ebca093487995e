/**
 * Owns the permit: the only thing that lets octets go upstream. Only pipeline/ mints one (a test enforces it);
 * whoever forwards must spend it on the digest of exactly what is forwarded, once.
 */

import { Fault } from './errors.ts';

/**
 * `action`: one judged statement or call, spent once. `session`: the plumbing of one admitted connection
 * (startup, authentication, Sync, Terminate …) that carries no action of its own.
 */
export type PermitScope = 'action' | 'session';

export class Permit {
  readonly scope: PermitScope;
  /** Id of the decision record. */
  readonly decision: string;
  readonly ticket: string | null;
  readonly #digest: string;
  #spent = false;

  /** @internal use mintPermit, and that only in pipeline/. */
  constructor(scope: PermitScope, decision: string, digest: string, ticket: string | null) {
    this.scope = scope;
    this.decision = decision;
    this.ticket = ticket;
    this.#digest = digest;
  }

  /** Call right before forwarding. @throws Fault when it covers something else or was spent before. */
  spend(digest: string): void {
    if (digest !== this.#digest) throw new Fault('internal', 'a permit was presented for other octets');
    if (this.scope === 'action') {
      if (this.#spent) throw new Fault('internal', 'a permit was presented twice');
      this.#spent = true;
    }
  }
}

export function mintPermit(
  scope: PermitScope,
  decision: string,
  digest: string,
  ticket: string | null,
): Permit {
  return new Permit(scope, decision, digest, ticket);
}
