/**
 * Owns the body of one request from the client's socket to the upstream's: what was read for judging, what was
 * kept for a person, what still streams. Must never be read twice, nor decide anything.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Clock } from '../../core/ports.ts';
import type { CollectedBody } from '../../protocol/http/body.ts';
import { type HeldBody, holdBody } from './held-body.ts';
import { announcedLength, type Collected, collect, drainInto, replay } from './request-body.ts';

export interface OutgoingBody {
  readonly body: Buffer | Readable | null;
  /** Octets, where they are all here; null where the client's own framing goes on as it is. */
  readonly length: number | null;
  /** Octets handed over so far. */
  sent(): number;
}

export interface RequestSourceOptions {
  readonly clock: Clock;
  /** Octets that are inspected. */
  readonly maxBody: number;
  readonly stateDir: string;
  /** The client waits for `100 Continue` before it sends. */
  readonly waitsForContinue: boolean;
}

export class RequestSource {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #options: RequestSourceOptions;
  #waitsForContinue: boolean;
  #collected: Collected | null = null;
  #held: HeldBody | null = null;

  constructor(request: IncomingMessage, response: ServerResponse, options: RequestSourceOptions) {
    this.#request = request;
    this.#response = response;
    this.#options = options;
    this.#waitsForContinue = options.waitsForContinue;
  }

  get waitsForContinue(): boolean {
    return this.#waitsForContinue;
  }

  /** False while part of the body is still to come. */
  get complete(): boolean {
    return this.#held !== null || this.#collected?.complete === true;
  }

  /** Reads as much as is inspected. @throws ProtocolError */
  async collect(): Promise<void> {
    const empty = announcedLength(this.#request) === 0;
    if (!empty && this.#waitsForContinue) {
      // RFC 9110 section 10.1.1: from here on the body is wanted.
      this.#waitsForContinue = false;
      this.#response.writeContinue();
    }
    this.#collected = empty
      ? { octets: Buffer.alloc(0), complete: true }
      : await collect(this.#request, this.#options.maxBody, this.#options.clock);
  }

  /** Reads the rest and keeps it. @throws ProtocolError */
  async hold(): Promise<void> {
    const collected = this.#collected;
    if (collected === null || this.complete) return;
    const { stateDir, clock } = this.#options;
    this.#held = await holdBody(join(stateDir, 'spool'), (take) =>
      drainInto(this.#request, collected, clock, take),
    );
  }

  /** What is known of it by now. */
  inspected(): CollectedBody {
    if (this.#held) return { kind: 'kept', size: this.#held.size, sha256: this.#held.sha256 };
    return this.#collected?.complete
      ? { kind: 'whole', octets: this.#collected.octets }
      : { kind: 'streamed', size: announcedLength(this.#request) };
  }

  /** To be asked for once. */
  outgoing(): OutgoingBody {
    const held = this.#held;
    if (held) return { body: held.read(), length: held.size, sent: () => held.size };
    const collected = this.#collected ?? { octets: Buffer.alloc(0), complete: false };
    if (!collected.complete) return { ...replay(this.#request, collected), length: null };
    const { octets } = collected;
    return { body: octets.length === 0 ? null : octets, length: octets.length, sent: () => octets.length };
  }

  /** Forgets what is kept. */
  async release(): Promise<void> {
    await this.#held?.dispose();
  }
}
