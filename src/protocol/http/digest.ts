/**
 * Owns the two digests of a call. `exact` is what an approval covers: method, scheme, authority, path and query,
 * every end-to-end header field but the per-attempt noise listed here, and the whole body. `shape` groups alike
 * calls. Must never leave out something that changes what a server does.
 */

import type { HttpFacts } from '../../core/facts.ts';
import { type DigestField, digestOf, type Fingerprint } from '../../core/fingerprint.ts';
import { endToEnd, fieldsOf, type RawHeaders } from './headers.ts';
import { authorityText } from './host.ts';
import type { RequestHead } from './request.ts';

/**
 * Fields that a client renews on each attempt, so that its retry of one and the same call joins its ticket: trace
 * contexts, attempt counters, and the clock of a signature. Content-Length is covered by the body, Expect is a hop's.
 */
const PER_ATTEMPT = new Set([
  'amz-sdk-invocation-id',
  'amz-sdk-request',
  'b3',
  'content-length',
  'date',
  'expect',
  'sentry-trace',
  'traceparent',
  'tracestate',
  'x-amz-date',
  'x-amzn-trace-id',
  'x-b3-parentspanid',
  'x-b3-sampled',
  'x-b3-spanid',
  'x-b3-traceid',
  'x-cloud-trace-context',
  'x-correlation-id',
  'x-request-id',
  'x-stainless-retry-count',
]);

/** @param bodySha256 Hex digest of the whole body; null for one that is forwarded while it arrives. */
export function fingerprintOf(head: RequestHead, facts: HttpFacts, bodySha256: string | null): Fingerprint {
  const exact = digestOf('http', [
    head.method,
    head.target.scheme,
    authorityText(head.target.authority),
    head.target.path,
    ...coveredFields(head.headers),
    bodySha256,
  ]);
  // What cannot be read whole, or can be read twice, is like nothing else.
  const alike =
    !facts.truncated_body && !facts.http.ambiguous && !facts.action.tags.includes('method_override');
  return { exact, shape: alike ? shapeOf(head, facts) : exact };
}

/** Sorted by name; the order of fields of one name stays, since it has a meaning (RFC 9110 section 5.3). */
function coveredFields(headers: RawHeaders): DigestField[] {
  const covered = [...fieldsOf(endToEnd(headers))].filter(([name]) => !PER_ATTEMPT.has(name));
  return covered
    .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .flatMap(([name, value]) => [name, name === 'authorization' ? principalOf(value) : value]);
}

/**
 * A SigV4 signature changes with the clock and is implied by the rest; whose key it is, and for which service, is not.
 * Any other credential is covered as it is.
 */
function principalOf(value: string): string {
  const match = /^AWS4-(\S+)\s+Credential=([^/,\s]+)\/\d{8}\/([^,\s]+)/.exec(value);
  return match ? `AWS4-${match[1]} ${match[2]}/${match[3]}` : value;
}

/** The same method, place, kind of path, names of parameters, and action. Values do not count. */
function shapeOf(head: RequestHead, facts: HttpFacts): string {
  const { action } = facts;
  return digestOf('http-shape', [
    head.method,
    head.target.scheme,
    authorityText(head.target.authority),
    pathTemplate(facts.http.segments),
    Object.keys(facts.parsed_query).toSorted().join('&'),
    facts.http.upgrade,
    action.service,
    action.operation,
    action.resource,
    action.namespace,
    action.subresource,
    action.access,
    [...action.tags].toSorted().join(' '),
  ]);
}

/** `/v1/users/42/keys/9f86d081` → `/v1/users/{}/keys/{}`: only what cannot be a word gives way. */
export function pathTemplate(segments: readonly string[]): string {
  return `/${segments.map((segment) => (isIdentifier(segment) ? '{}' : segment)).join('/')}`;
}

const isIdentifier = (segment: string): boolean =>
  /^\d+$/.test(segment) ||
  /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(segment) ||
  (/^[0-9a-f]{8,}$/i.test(segment) && /\d/.test(segment)) ||
  (/^[A-Za-z0-9_-]{20,}$/.test(segment) && /\d/.test(segment) && /[A-Za-z]/.test(segment));
