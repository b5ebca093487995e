/**
 * Owns one request from its head to its outcome: read, resolved, judged, forwarded, settled. Must never forward
 * what the pipeline has not permitted, nor leave a permitted request without an outcome.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Outcome, Pipeline } from '../../core/admission.ts';
import { ProtocolError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Permit } from '../../core/permit.ts';
import type { Clock, Logger } from '../../core/ports.ts';
import { type Refusal, refusal, refusalFrom } from '../../core/refusal.ts';
import { type ActionOptions, type HttpAction, requestAction } from '../../protocol/http/action.ts';
import { readBody } from '../../protocol/http/body.ts';
import { checkFraming, endToEnd, valuesOf } from '../../protocol/http/headers.ts';
import { type Audience, audienceOf } from '../../protocol/http/refusal.ts';
import type { RequestHead } from '../../protocol/http/request.ts';
import { parseTarget } from '../../protocol/http/target.ts';
import { refuse } from './answer.ts';
import type { ConnectionContext, Connections } from './connection.ts';
import { relayTo } from './relay.ts';
import { RequestSource } from './request-source.ts';
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
  readonly ticketUrl: ((ticket: string) => string) | undefined;
  readonly draining: () => boolean;
}

/** Never rejects. */
export type Exchange = (
  request: IncomingMessage,
  response: ServerResponse,
  waitsForContinue: boolean,
) => Promise<void>;

/** What one exchange is about, once its head is read. */
interface Subject {
  readonly head: RequestHead;
  readonly destination: PinnedDestination;
  readonly source: RequestSource;
}

/** How it ended on this side. */
type Ending = { readonly refusal: Refusal | null; readonly audience?: Audience };

export function createExchange(deps: ExchangeDeps): Exchange {
  return async (request, response, waitsForContinue) => {
    const client = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) client.abort();
    });
    // A client that goes away is the signal's business; its socket's errors are nobody's.
    response.on('error', () => client.abort());
    request.on('error', () => client.abort());
    const source = new RequestSource(request, response, { ...deps, waitsForContinue });
    let ending: Ending;
    try {
      const underWay = deps.connections.begin(request.socket, response);
      if (deps.draining()) throw new ProtocolError('draining', 'no new requests are taken');
      if (underWay > LIMITS.httpPipelined) {
        throw new ProtocolError(
          'protocol_violation',
          `more than ${LIMITS.httpPipelined} requests at once on one connection`,
        );
      }
      const head = readHead(request, deps.connections.contextOf(request.socket));
      const destination = await deps.resolver.resolve(head.target.authority);
      // What cannot pass anyway is refused, and recorded, on its head alone.
      if (!destination.self) await source.collect();
      ending = await carry(deps, { head, destination, source }, response, client.signal);
    } catch (error) {
      ending = { refusal: refusalFrom(error) };
      if (ending.refusal?.code === 'internal') deps.logger.error({ err: error }, 'an HTTP exchange failed');
    }
    try {
      if (ending.refusal) {
        refuse(request, response, ending.refusal, {
          clock: deps.clock,
          ticketUrl: deps.ticketUrl,
          audience: ending.audience ?? 'any',
          waitsForContinue: source.waitsForContinue,
          close: ending.refusal.code === 'draining' || ending.refusal.code === 'protocol_violation',
        });
      }
      await source.release();
    } catch (error) {
      // Nothing more can be said to this client; nothing was forwarded that has no outcome.
      deps.logger.error({ err: error }, 'an HTTP exchange could not be ended');
      response.destroy();
    }
  };
}

function readHead(request: IncomingMessage, context: ConnectionContext): RequestHead {
  const { method = '', url = '', rawHeaders, httpVersion } = request;
  if (context.refusal) throw new ProtocolError(context.refusal.code, context.refusal.reason);
  if (rawHeaders.length / 2 > LIMITS.httpHeaderFields) {
    throw new ProtocolError('headers_too_large', `more than ${LIMITS.httpHeaderFields} header fields`);
  }
  const protocol = `HTTP/${httpVersion}`;
  checkFraming(rawHeaders, protocol);
  const target = parseTarget(url, valuesOf(rawHeaders, 'host'), protocol, context.origin);
  return { method, target, protocol, headers: rawHeaders, tls: context.tls };
}

/** From the judgement to the outcome. */
async function carry(
  deps: ExchangeDeps,
  subject: Subject,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<Ending> {
  const { head, destination, source } = subject;
  const describe = (more: Pick<ActionOptions, 'whole'> = {}): HttpAction => {
    const body = readBody(source.inspected(), head.headers, deps.maxBody);
    return requestAction({ head, destination, body }, { waitMs: deps.waitMs, ...more });
  };
  const whole = async () => {
    try {
      await source.hold();
      action = describe();
      return action;
    } catch (error) {
      return refusalFrom(error);
    }
  };
  let action = describe(source.complete || destination.self ? {} : { whole });
  const audience = audienceOf(action.facts);
  const admission = await deps.pipeline.admit(action, { signal });
  if ('refusal' in admission) return { refusal: admission.refusal, audience };

  const { permit } = admission;
  const stop = reasonNotToForward(action, permit, source, signal);
  if (stop) {
    await deps.pipeline.settle(permit, { status: 'aborted', detail: { reason: stop.code } });
    return { refusal: stop, audience };
  }
  const { outcome, refusal: refused } = await forward(deps, subject, action, permit, response, signal);
  await deps.pipeline.settle(permit, outcome);
  return { refusal: refused, audience };
}

/** The second look, whatever the pipeline made of the first. */
function reasonNotToForward(
  action: HttpAction,
  permit: Permit,
  source: RequestSource,
  signal: AbortSignal,
): Refusal | null {
  if (action.barred) return action.barred;
  if (permit.ticket !== null && !source.complete) {
    return refusal('internal', 'the approval does not cover the whole body');
  }
  return signal.aborted ? refusal('hold_withdrawn', 'the client went away') : null;
}

/** Never rejects: what was permitted has an outcome. */
async function forward(
  deps: ExchangeDeps,
  { head, destination, source }: Subject,
  action: HttpAction,
  permit: Permit,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<{ outcome: Outcome; refusal: Refusal | null }> {
  try {
    const { body, length, sent } = source.outgoing();
    // Content-Length is written anew where the whole body is here, and goes as announced where it is not.
    const headers = endToEnd(head.headers, length === null ? ['expect'] : ['expect', 'content-length']);
    if (length !== null && length > 0) headers.push('Content-Length', String(length));
    const result = await relayTo(response, signal, (handler) =>
      deps.upstream.send(permit, action.fingerprint.exact, { head, destination, headers, body }, handler),
    );
    const refused = result.refusal && { ...result.refusal, decision: permit.decision, ticket: permit.ticket };
    const detail = {
      http_status: result.httpStatus,
      request_bytes: sent(),
      response_bytes: result.responseBytes,
      ...(refused && { reason: refused.code }),
    };
    return { outcome: { status: result.status, detail }, refusal: refused };
  } catch (error) {
    const refused = { ...refusalFrom(error), decision: permit.decision, ticket: permit.ticket };
    if (refused.code === 'internal')
      deps.logger.error({ err: error }, 'a permitted request could not be sent');
    return { outcome: { status: 'failed', detail: { reason: refused.code } }, refusal: refused };
  }
}
