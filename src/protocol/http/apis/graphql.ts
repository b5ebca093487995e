/**
 * Owns GraphQL calls (GraphQL over HTTP): which operation runs, its type and its root fields. What cannot be read
 * (a persisted query, a document that does not parse) is unknown.
 */

import type { Access, ActionFacts, Json } from '../../../core/facts.ts';
import { readGraphql } from './graphql-document.ts';
import { type ApiRequest, action, textField } from './recogniser.ts';

export function recogniseGraphql(request: ApiRequest): ActionFacts | null {
  const last = request.segments.filter((segment) => segment !== '').at(-1);
  if (last !== 'graphql' && last !== 'gql') return null;
  return describeGraphql(request, 'graphql');
}

/** @param service Whose API it is, where its host says so. */
export function describeGraphql(request: ApiRequest, service: string): ActionFacts {
  const calls = callsOf(request);
  if (calls.length === 0) return action(service, 'unknown', { tags: ['graphql'] });
  const described = calls.map(({ query, operationName }) => describe(query, operationName, service));
  const [only] = described;
  if (only && described.length === 1) return only;
  return action(service, worst(described.map((call) => call.access)), {
    operation: 'batch',
    tags: [...new Set(['graphql', 'batch', ...described.flatMap((call) => call.tags)])],
  });
}

interface Call {
  readonly query: string | null;
  readonly operationName: string | null;
}

function callsOf(request: ApiRequest): Call[] {
  if (request.method === 'GET' || request.method === 'HEAD') {
    const only = (name: string) =>
      request.query[name]?.length === 1 ? (request.query[name]?.[0] ?? null) : null;
    return [{ query: only('query'), operationName: only('operationName') }];
  }
  const bodies: readonly Json[] = Array.isArray(request.body) ? request.body : [request.body];
  return bodies.map((body) => ({
    query: textField(body, 'query'),
    operationName: textField(body, 'operationName'),
  }));
}

function describe(query: string | null, operationName: string | null, service: string): ActionFacts {
  const unreadable = action(service, 'unknown', { tags: ['graphql'] });
  const operations = query === null ? null : readGraphql(query);
  if (!operations) return unreadable;
  const chosen =
    operationName === null && operations.length === 1
      ? operations[0]
      : operations.find((operation) => operation.name === operationName && operationName !== null);
  if (!chosen) return unreadable;
  const deletes =
    chosen.type === 'mutation' &&
    chosen.fields.some((field) => /^(?:delete|destroy|purge|drop)/i.test(field));
  const administers = chosen.type === 'mutation' && chosen.fields.some((field) => ADMIN.test(field));
  return action(service, chosen.type === 'mutation' ? (administers ? 'admin' : 'write') : 'read', {
    operation: `${chosen.type} ${chosen.fields.join(',')}`,
    tags: ['graphql', ...(deletes ? ['delete'] : []), ...(administers ? ['privilege'] : [])],
  });
}

const ADMIN =
  /(?:Role|Permission|Privilege|Collaborator|Member|Admin|Owner|BranchProtection|Ruleset|Visibility)/;

function worst(all: readonly Access[]): Access {
  for (const access of ['admin', 'unknown', 'write'] as const) if (all.includes(access)) return access;
  return 'read';
}
