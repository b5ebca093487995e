/**
 * Owns the form of the control API’s answers: JSON, and RFC 9457 problem documents from the catalogue. Must never
 * know what was asked.
 */

import { CATALOGUE, type ErrorCode } from '../core/errors.ts';

export interface ApiResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export function json(document: unknown): ApiResponse {
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: `${JSON.stringify(document, null, 2)}\n`,
  };
}

/** @param more further members of the document, say `ticket`. */
export function problem(
  code: ErrorCode,
  detail: string,
  more: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
): ApiResponse {
  const { status, title, remedy } = CATALOGUE[code];
  const document = { type: `urn:holdpoint:problem:${code}`, title, status, detail, code, remedy, ...more };
  return {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
    body: `${JSON.stringify(document, null, 2)}\n`,
  };
}
