/**
 * Owns the kinds of trouble that are thrown: a peer's ProtocolError and our own Fault. The third, a Refusal, is a value
 * (refusal.ts). Each carries a code of the catalogue. Must never reach an agent as a stack trace.
 */

import type { ErrorCode } from './catalogue.ts';

export { CATALOGUE, type CatalogueEntry, type ErrorCode } from './catalogue.ts';

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
