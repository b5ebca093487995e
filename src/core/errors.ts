/**
 * Owns the catalogue of everything that can be refused or go wrong: one code, its HTTP status, SQLSTATE,
 * gRPC status, title and what to do next. Three kinds of trouble use it: a peer's ProtocolError, a Refusal
 * (a value, see refusal.ts) and our own Fault. Must never know which protocol will carry it.
 */

export interface CatalogueEntry {
  /** HTTP status of the problem document. */
  readonly status: number;
  /** Five-character SQLSTATE, PostgreSQL appendix A. */
  readonly sqlstate: string;
  /** gRPC status code. */
  readonly grpc: number;
  readonly title: string;
  /** What the agent, or its developer, can do next. */
  readonly remedy: string;
}

const entry = (
  status: number,
  sqlstate: string,
  grpc: number,
  title: string,
  remedy: string,
): CatalogueEntry => ({ status, sqlstate, grpc, title, remedy });

// biome-ignore format: a table is read by its rows
export const CATALOGUE = {
  // What policy or people answered.
  policy_denied: entry(403, '42501', 7, 'Denied by policy', 'Do not retry: ask the security team to change the policy if this is needed.'),
  hold_denied: entry(403, '42501', 7, 'Denied by a reviewer', 'Do not retry: read the reason, and ask for something narrower.'),
  hold_pending: entry(503, '55000', 14, 'Waiting for approval', 'Send the identical request again later: it joins this ticket, and passes once it is approved.'),
  hold_expired: entry(403, '42501', 7, 'Approval expired unanswered', 'Nobody answered in time, and nothing ran. Send the request again to ask again.'),
  hold_withdrawn: entry(503, '57014', 1, 'Withdrawn before an answer', 'Nothing ran. Send the request again to ask again.'),
  hold_stale: entry(409, '55000', 9, 'Approval no longer fits', 'Nothing ran: what was approved had changed meanwhile. Send the request again to ask again.'),
  hold_capacity: entry(429, '53400', 8, 'Too many requests are waiting for approval', 'Wait until some are answered, then send the request again.'),
  // Policy could not answer: refused, never allowed.
  policy_unavailable: entry(503, '58000', 14, 'No policy is in force', 'Nothing passes without a policy: ask the operator to load one.'),
  policy_undefined: entry(403, '42501', 7, 'Policy gave no decision', 'Ask the security team: data.holdpoint.decision is undefined for this request.'),
  policy_malformed: entry(403, '42501', 7, 'Policy gave a malformed decision', 'Ask the security team: the decision does not have the documented form.'),
  policy_timeout: entry(503, '57014', 4, 'Policy took too long', 'Ask the security team: evaluation overran its deadline. Sending the request again may help.'),
  policy_trap: entry(503, '58000', 13, 'Policy failed while deciding', 'Ask the security team: the policy trapped. Sending the request again may help.'),
  policy_input_too_large: entry(413, '54000', 8, 'Too large for policy to judge', 'Send something smaller: what policy cannot see whole is not allowed.'),
  policy_obligation: entry(403, '42501', 7, 'Policy asks for what cannot be enforced here', 'Ask the security team: the decision carries a limit or a mask that this version cannot enforce.'),
  // Our own parts are not able to do their duty: refused, never allowed.
  evidence_unavailable: entry(503, '58030', 14, 'The audit log cannot be written', 'Nothing passes without evidence: ask the operator to look at the disk.'),
  store_unavailable: entry(503, '58030', 14, 'The approval store cannot be used', 'Nothing is held without a store: ask the operator to look at it.'),
  draining: entry(503, '57P01', 14, 'Holdpoint is shutting down', 'Nothing ran. Send the request again once it is back.'),
  internal: entry(500, 'XX000', 13, 'Internal fault', 'Nothing ran. Report this with the time and the decision id.'),
  // Where a request may go.
  destination_self: entry(403, '42501', 7, 'That is Holdpoint itself', 'The proxy does not carry requests to its own listeners or its control API.'),
  destination_unresolved: entry(502, '08001', 14, 'The host name does not resolve', 'Check the host name.'),
  upstream_unreachable: entry(502, '08001', 14, 'The upstream cannot be reached', 'Check that it is up, and send the request again.'),
  upstream_tls: entry(502, '08001', 14, 'The upstream’s certificate is not trusted', 'Ask the operator to add its authority to the trusted roots.'),
  upstream_lost: entry(502, '08006', 14, 'The upstream went away', 'Whether the request ran is not known: check before sending it again.'),
  upstream_protocol: entry(502, '08P01', 13, 'The upstream broke the protocol', 'Report this to whoever runs the upstream.'),
  // What the peer sent.
  request_malformed: entry(400, '08P01', 3, 'The request is malformed', 'Correct the request.'),
  request_too_large: entry(413, '54000', 8, 'The request is too large', 'Send something smaller.'),
  headers_too_large: entry(431, '54000', 8, 'The header section is too large', 'Send fewer or shorter header fields.'),
  request_timeout: entry(408, '57014', 4, 'The request took too long to arrive', 'Send it again, faster.'),
  protocol_violation: entry(400, '08P01', 3, 'The protocol was violated', 'Correct the client.'),
  protocol_unsupported: entry(501, '0A000', 12, 'That part of the protocol is not carried', 'Use another feature of the client.'),
  startup_refused: entry(400, '42501', 7, 'The session settings are not allowed', 'Connect without that setting.'),
  sql_unparseable: entry(400, '42601', 3, 'The statement does not parse', 'Correct the statement: what cannot be read is not sent.'),
  sql_too_large: entry(413, '54000', 8, 'The statement is too large or too deep to judge', 'Send a smaller statement; pass data as parameters.'),
  statement_unknown: entry(404, '26000', 5, 'No such prepared statement', 'Prepare it first, in this session.'),
  portal_unknown: entry(404, '34000', 5, 'No such portal or cursor', 'Bind or declare it first, in this transaction.'),
  transaction_failed: entry(409, '25P02', 9, 'The transaction has failed already', 'Send ROLLBACK, and begin again.'),
  session_capacity: entry(429, '53400', 8, 'Too many prepared statements or portals in one session', 'Close those that are not needed any more.'),
  sql_encoding: entry(400, '22021', 3, 'The statement is not valid UTF-8 text', 'Send UTF-8 without NUL.'),
  // The control API.
  unauthenticated: entry(401, '28000', 16, 'Who are you?', 'Send a bearer token that belongs to a person.'),
  forbidden: entry(403, '42501', 7, 'Not yours to do', 'Ask somebody who may.'),
  self_approval: entry(403, '42501', 7, 'Nobody approves their own request', 'Ask a reviewer other than the owner of the agent.'),
  not_entitled: entry(403, '42501', 7, 'Not a reviewer for this', 'Ask somebody in one of the groups that the ticket names.'),
  already_closed: entry(409, '55000', 9, 'Already closed', 'Read the ticket: the answer came too late to change anything.'),
  not_found: entry(404, '42704', 5, 'No such thing', 'Check the identifier.'),
  bad_request: entry(400, '22023', 3, 'The request cannot be understood', 'Correct it as the detail says.'),
  method_not_allowed: entry(405, '0A000', 12, 'That method is not offered here', 'Use one of the methods in Allow.'),
  media_type_unsupported: entry(415, '22023', 3, 'That kind of body is not understood', 'Send JSON, as content-type application/json.'),
  misdirected: entry(421, '22023', 3, 'That host name is not mine', 'Use the address that control.listen names, or localhost.'),
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof CATALOGUE;

/** What a thrown value says. One that is no Error says nothing: it may be a payload. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error';
}

/** The peer broke the rules of its protocol. The connection may have to end; nothing was forwarded. */
export class ProtocolError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string) {
    super(message);
    this.name = 'ProtocolError';
    this.code = code;
  }
}

/** We failed. Always ends in a refusal to the agent, never in an allow. */
export class Fault extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'Fault';
    this.code = code;
  }
}
