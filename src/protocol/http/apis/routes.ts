/**
 * Owns matching a call against a table of an API's routes. Must never guess: a path that is not in the table
 * matches nothing.
 */

import type { Access } from '../../../core/facts.ts';

/**
 * `GET /repos/{owner}/{repo}/issues issues/list-for-repo`, then optionally an access and tags:
 * `PUT /repos/{owner}/{repo}/pulls/{n}/merge pulls/merge write merge`. A last `{name+}` takes the rest of the path.
 */
export type RouteTable = readonly Route[];

export interface Route {
  readonly method: string;
  readonly template: readonly string[];
  readonly operation: string;
  /** Null where the method says it. */
  readonly access: Access | null;
  readonly tags: readonly string[];
}

/** @throws Error on a line that is not a route: tables are part of the program. */
export function routeTable(text: string): RouteTable {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [method, path, operation, access, ...tags] = line.trim().split(/\s+/);
      if (!method || !path?.startsWith('/') || !operation) throw new Error(`not a route: ${line}`);
      return {
        method,
        template: path.slice(1).split('/'),
        operation,
        access: access === undefined || access === '-' ? null : (access as Access),
        tags,
      };
    });
}

export function matchRoute(table: RouteTable, method: string, segments: readonly string[]): Route | null {
  // A HEAD is a GET whose answer has no content (RFC 9110 section 9.3.2).
  const asked = method === 'HEAD' ? 'GET' : method;
  return table.find((route) => route.method === asked && fits(route.template, segments)) ?? null;
}

function fits(template: readonly string[], segments: readonly string[]): boolean {
  const open = template.at(-1)?.endsWith('+}') ?? false;
  if (open ? segments.length < template.length : segments.length !== template.length) return false;
  return template.every((part, index) => {
    const segment = segments[index] ?? '';
    return part.startsWith('{') ? segment !== '' : part === segment;
  });
}
