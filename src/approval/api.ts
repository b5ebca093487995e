/**
 * Owns the REST door, /api/v1/approvals: who asks, what they ask, and the answer. A request in, a response out: no
 * socket. Must never let anything in without a token, nor let a token that names no person answer a ticket.
 */

import { Fault } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import type { Logger } from '../core/ports.ts';
import { TICKET_ID } from '../core/ticket.ts';
import { type ApiResponse, json, problem } from './api-problem.ts';
import { readDecision, readFilter } from './api-request.ts';
import { ticketDocument, ticketSummary } from './api-ticket.ts';
import type { DeskDoors, People, Person } from './doors.ts';
import { equalHashes, tokenHash } from './people.ts';

export interface ApiRequest {
  readonly method: string;
  /** Request target in origin form: path and query. */
  readonly target: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
}

export interface ApprovalsApiOptions {
  readonly desk: DeskDoors;
  readonly people: People;
  /** SHA-256, in hex, of the token that may read and not answer. */
  readonly operatorTokenHash: string;
  readonly logger: Logger;
}

/** Never rejects. A HEAD gets the body of its GET, for the listener to measure and leave out. */
export type ApprovalsApi = (request: ApiRequest) => Promise<ApiResponse>;

/** Null: the operator, who is nobody in particular. */
type Caller = { readonly person: Person | null };
type Handler = (request: ApiRequest, caller: Caller, id: string) => Promise<ApiResponse>;

const ROUTE = /^\/api\/v1\/approvals(?:\/([^/]+)(\/decision)?)?$/;

export function createApprovalsApi({
  desk,
  people,
  operatorTokenHash,
  logger,
}: ApprovalsApiOptions): ApprovalsApi {
  const operator = Buffer.from(operatorTokenHash, 'hex');

  function authenticate(header: string | undefined): Caller | null {
    const token = /^bearer +([A-Za-z0-9\-._~+/]+=*) *$/i.exec(header ?? '')?.[1];
    if (token === undefined) return null;
    const hash = tokenHash(token);
    const person = people.byTokenHash(hash);
    if (person !== null) return { person };
    return equalHashes(Buffer.from(hash, 'hex'), operator) ? { person: null } : null;
  }

  const list: Handler = async ({ target }) => {
    const filter = readFilter(target.split('?').slice(1).join('?'));
    if ('wrong' in filter) return problem('bad_request', filter.wrong);
    const page = await desk.list(filter.value);
    return json({ tickets: page.tickets.map((ticket) => ticketSummary(ticket, people)), next: page.next });
  };

  const show: Handler = async (_request, _caller, id) => {
    const ticket = await desk.get(id);
    return ticket === null
      ? problem('not_found', `there is no ticket ${id}`)
      : json(ticketDocument(ticket, people));
  };

  const decide: Handler = async ({ headers, body }, { person }, id) => {
    if (person === null)
      return problem(
        'forbidden',
        'the operator token names no person, and so cannot answer: use a token of your own',
      );
    if (!/^application\/json(?:\s*;\s*charset="?utf-8"?)?$/i.test(headers['content-type']?.trim() ?? ''))
      return problem('media_type_unsupported', 'the body is to be application/json');
    if (body.byteLength > LIMITS.controlBody)
      return problem('request_too_large', `a body has at most ${LIMITS.controlBody} octets`);
    const read = readDecision(body);
    if ('wrong' in read) return problem('bad_request', read.wrong);
    const result = await desk.answer(id, { person, ...read.value, via: 'api' });
    if (result.ok) return json(ticketDocument(result.ticket, people));
    const { code, reason, ticket } = result;
    return problem(code, reason, ticket === null ? {} : { ticket: id, state: ticket.state });
  };

  async function route(request: ApiRequest): Promise<ApiResponse> {
    const caller = authenticate(request.headers.authorization);
    if (caller === null) {
      const why = 'a bearer token of a person in approvals.people, or the operator token, is needed';
      return problem('unauthenticated', why, {}, { 'www-authenticate': 'Bearer realm="holdpoint"' });
    }
    const match = ROUTE.exec(request.target.split('?', 1)[0] ?? '');
    const [, id, decision] = match ?? [];
    if (match === null || (id !== undefined && !TICKET_ID.test(id)))
      return problem('not_found', 'there is nothing at this path');
    const query = request.target.includes('?');
    if (query && id !== undefined) return problem('bad_request', 'no query is understood here');

    const [handler, ...methods] = decision
      ? ([decide, 'POST'] as const)
      : ([id === undefined ? list : show, 'GET', 'HEAD'] as const);
    if (!methods.some((method) => method === request.method))
      return problem(
        'method_not_allowed',
        `${request.method} is not offered here`,
        {},
        { allow: methods.join(', ') },
      );
    return handler(request, caller, id ?? '');
  }

  return async (request) => {
    try {
      return await route(request);
    } catch (error) {
      if (error instanceof Fault) return problem(error.code, error.message);
      logger.error({ err: error, method: request.method }, 'the control API failed');
      return problem('internal', 'the request could not be served');
    }
  };
}
