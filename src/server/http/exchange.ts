/**
 * Owns one request from its head to its outcome: read, resolved, judged, forwarded, settled. Must never forward
 * what the pipeline has not permitted, nor leave a permitted request without an outcome.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Action, Pipeline } from '../../core/admission.ts';
import { ProtocolError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Permit } from '../../core/permit.ts';
import type { Clock, Logger } from '../../core/ports.ts';
import { type Refusal, refusal, refusalFrom } from '../../core/refusal.ts';
import { requestAction } from '../../protocol/http/action.ts';
import { type CollectedBody, readBody } from '../../protocol/http/body.ts';
import { checkFraming, endToEnd, valuesOf } from '../../protocol/http/headers.ts';
import type { RequestHead } from '../../protocol/http/request.ts';
import { parseTarget } from '../../protocol/http/target.ts';
import { refuse } from './answer.ts';
import type { Connections } from './connection.ts';
import { type HeldBody, holdBody } from './held-body.ts';
import { type Relayed, relayTo } from './relay.ts';
import { announcedLength, type Collected, collect, drainInto, replay } from './request-body.ts';
import type { PinnedDestination, Resolver } from './resolve.ts';
import type { Upstream } from './upstream.ts';

export interface ExchangeDeps {
  readonly pipeline: Pipeline;
  readonly resolver: Resolver;
  readonly upstream: Upstream;
  readonly connections: Connections;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Octets of a body that are inspected. */
  readonly maxBody: number;
  /** Milliseconds a client waits for a person. */
  readonly waitMs: number;
  readonly stateDir: string;
  readonly draining: () => boolean;
}

export type Exchange = (
  request: IncomingMessage,
  response: ServerResponse,
  waitsForContinue: boolean,
) => Promise<void>;

export function createExchange(deps: ExchangeDeps): Exchange {
  return async (request, response, waitsForContinue) => {
    const { socket } = request;
    const client = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) client.abort();
    });
    // A client that goes away is the signal's business; its socket errors are nobody's.
    response.on('error', () => client.abort());
    request.on('error', () => client.abort());
    const underWay = deps.connections.begin(socket, response);
    const passage = new Passage(deps, request, response, client.signal, waitsForContinue);
    try {
      if (deps.draining()) throw new ProtocolError('draining', 'no new requests are taken');
      if (underWay > LIMITS.httpPipelined) {
        throw new ProtocolError(
          'protocol_violation',
          `more than ${LIMITS.httpPipelined} requests at once on one connection`,
        );
      }
      await passage.run();
    } catch (error) {
      const answer = refusalFrom(error);
      if (answer.code === 'internal') deps.logger.error({ err: error }, 'an HTTP exchange failed');
      passage.refuse(answer);
    } finally {
      await passage.release();
    }
  };
}

/** The state of one exchange: what of its body is kept, and where it is to be found. */
class Passage {
  readonly #deps: ExchangeDeps;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #signal: AbortSignal;
  #waitsForContinue: boolean;
  #collected: Collected = { chunks: [], octets: 0, complete: true };
  #held: HeldBody | null = null;

  constructor(
    deps: ExchangeDeps,
    request: IncomingMessage,
    response: ServerResponse,
    signal: AbortSignal,
    waitsForContinue: boolean,
  ) {
    this.#deps = deps;
    this.#request = request;
    this.#response = response;
    this.#signal = signal;
    this.#waitsForContinue = waitsForContinue;
  }

  async run(): Promise<void> {
    const head = this.#readHead();
    const destination = await this.#deps.resolver.resolve(head.target.authority);
    // What cannot pass anyway is refused, and recorded, on its head alone.
    if (!destination.self) await this.#collectBody();
    let action = this.#actionFor(head, destination, this.#inspected(destination));
    if (!this.#collected.complete) {
      const whole = async (): Promise<Action | Refusal> => {
        try {
          await this.#holdBody();
        } catch (error) {
          return refusalFrom(error);
        }
        action = this.#actionFor(head, destination, this.#inspected(destination));
        return action;
      };
      action = { ...action, whole };
    }
    const asked = action;
    const admission = await this.#deps.pipeline.admit(asked, { signal: this.#signal });
    if ('refusal' in admission) return this.refuse(admission.refusal);

    const { permit } = admission;
    const stop = this.#reasonNotToForward(action, permit);
    if (stop) {
      await this.#deps.pipeline.settle(permit, { status: 'aborted', detail: { reason: stop.code } });
      return this.refuse(stop);
    }
    await this.#forward(head, destination, action, permit);
  }

  refuse(answer: Refusal): void {
    const { clock } = this.#deps;
    refuse(this.#request, this.#response, answer, {
      waitsForContinue: this.#waitsForContinue,
      close: answer.code === 'draining' || answer.code === 'protocol_violation',
      clock,
    });
  }

  async release(): Promise<void> {
    await this.#held?.dispose();
  }

  #readHead(): RequestHead {
    const { method = '', url = '', rawHeaders, httpVersion, socket } = this.#request;
    const context = this.#deps.connections.contextOf(socket);
    if (context.refusal) throw new ProtocolError(context.refusal.code, context.refusal.reason);
    if (rawHeaders.length / 2 > LIMITS.httpHeaderFields) {
      throw new ProtocolError('headers_too_large', `more than ${LIMITS.httpHeaderFields} header fields`);
    }
    const protocol = `HTTP/${httpVersion}`;
    checkFraming(rawHeaders, protocol);
    const target = parseTarget(url, valuesOf(rawHeaders, 'host'), protocol, context.origin);
    return { method, target, protocol, headers: rawHeaders, tls: context.tls };
  }

  async #collectBody(): Promise<void> {
    if (announcedLength(this.#request) === 0) return;
    this.#continue();
    this.#collected = await collect(this.#request, this.#deps.maxBody, this.#deps.clock);
  }

  /** RFC 9110 section 10.1.1: from here on the body is wanted. */
  #continue(): void {
    if (!this.#waitsForContinue) return;
    this.#waitsForContinue = false;
    this.#response.writeContinue();
  }

  #inspected(destination: PinnedDestination): CollectedBody {
    if (destination.self)
      return { kind: 'streamed', head: Buffer.alloc(0), size: announcedLength(this.#request) };
    if (this.#held) {
      return {
        kind: 'kept',
        head: this.#collected.chunks[0] ?? Buffer.alloc(0),
        size: this.#held.size,
        sha256: this.#held.sha256,
      };
    }
    const octets = Buffer.concat(this.#collected.chunks);
    return this.#collected.complete
      ? { kind: 'whole', octets }
      : { kind: 'streamed', head: octets, size: announcedLength(this.#request) };
  }

  #actionFor(head: RequestHead, destination: PinnedDestination, collected: CollectedBody): Action {
    const body = readBody(collected, head.headers, this.#deps.maxBody);
    return requestAction({ head, destination, body }, this.#deps.waitMs);
  }

  async #holdBody(): Promise<void> {
    if (this.#held) return;
    this.#held = await holdBody(join(this.#deps.stateDir, 'spool'), (take) =>
      drainInto(this.#request, this.#collected, this.#deps.clock, take),
    );
  }

  /** The second look, whatever the pipeline made of the first. */
  #reasonNotToForward(action: Action, permit: Permit): Refusal | null {
    if (action.barred) return action.barred;
    if (permit.ticket !== null && !this.#collected.complete && !this.#held) {
      return refusal('internal', 'the approval does not cover the whole body');
    }
    if (this.#signal.aborted) return refusal('hold_withdrawn', 'the client went away');
    return null;
  }

  async #forward(
    head: RequestHead,
    destination: PinnedDestination,
    action: Action,
    permit: Permit,
  ): Promise<void> {
    const { body, sent } = this.#outgoingBody();
    // Content-Length goes as announced, and is written anew where the body was kept whole.
    const dropped = this.#collected.complete || this.#held ? ['expect', 'content-length'] : ['expect'];
    const headers = endToEnd(head.headers, dropped);
    if (this.#held) headers.push('Content-Length', String(this.#held.size));
    let result: Relayed;
    try {
      result = await new Promise<Relayed>((resolve) => {
        const handler = relayTo(this.#response, this.#signal, resolve);
        this.#deps.upstream.send(
          permit,
          action.fingerprint.exact,
          { head, destination, headers, body },
          handler,
        );
      });
    } catch (error) {
      await this.#deps.pipeline.settle(permit, {
        status: 'failed',
        detail: { reason: refusalFrom(error).code },
      });
      throw error;
    }
    if (result.refusal) this.refuse({ ...result.refusal, decision: permit.decision, ticket: permit.ticket });
    await this.#deps.pipeline.settle(permit, {
      status: result.status,
      detail: {
        http_status: result.httpStatus,
        request_bytes: sent(),
        response_bytes: result.responseBytes,
        ...(result.refusal && { reason: result.refusal.code }),
      },
    });
  }

  #outgoingBody(): { body: Buffer | Readable | null; sent: () => number } {
    const held = this.#held;
    if (held) return { body: held.read(), sent: () => held.size };
    if (this.#collected.complete) {
      const octets = this.#collected.octets === 0 ? null : Buffer.concat(this.#collected.chunks);
      return { body: octets, sent: () => octets?.length ?? 0 };
    }
    return replay(this.#request, this.#collected);
  }
}
