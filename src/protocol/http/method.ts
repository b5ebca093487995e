/**
 * Owns what a request method says about access, and the ways a request can carry another method inside
 * (X-HTTP-Method-Override and its kin), which make the visible one worth nothing. Must never know an API.
 */

import type { Access, Json } from '../../core/facts.ts';
import { fieldsOf, type RawHeaders } from './headers.ts';

const READS = new Set(['GET', 'HEAD', 'OPTIONS', 'PROPFIND', 'REPORT', 'SEARCH', 'QUERY']);
const WRITES = new Set([
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'COPY',
  'MOVE',
  'MKCOL',
  'PROPPATCH',
  'LOCK',
  'UNLOCK',
  'MERGE',
  'LINK',
  'UNLINK',
  'PURGE',
]);

export function accessOfMethod(method: string): Access {
  if (READS.has(method)) return 'read';
  return WRITES.has(method) ? 'write' : 'unknown';
}

const OVERRIDE_FIELDS = new Set([
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'x-original-method',
  'x-rewrite-method',
  'http-method-override',
]);
const OVERRIDE_PARAMETERS = new Set([
  '_method',
  'x-http-method-override',
  '_httpmethod',
  '$method',
  'httpmethod',
]);

/** True when a header field, a query parameter or a field of the body may replace the method at the server. */
export function overridesMethod(
  headers: RawHeaders,
  query: Readonly<Record<string, unknown>>,
  body: Json,
): boolean {
  for (const [name] of fieldsOf(headers)) if (OVERRIDE_FIELDS.has(name)) return true;
  const named = (record: object) =>
    Object.keys(record).some((key) => OVERRIDE_PARAMETERS.has(key.toLowerCase()));
  return named(query) || (body !== null && typeof body === 'object' && !Array.isArray(body) && named(body));
}
