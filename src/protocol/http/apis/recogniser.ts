/**
 * Owns the contract of a recogniser: one file for each API, which says in that API's own words what a request
 * does, or that it is none of its own. Must never see an ambiguous path: those are recognised by nobody.
 */

import type { Access, ActionFacts, Json } from '../../../core/facts.ts';
import { isJsonObject } from '../../../core/json.ts';
import type { Scheme } from '../target.ts';

export interface ApiRequest {
  readonly method: string;
  readonly scheme: Scheme;
  /** Canonical host name, without port. */
  readonly host: string;
  /** Percent-decoded path segments; each is one segment as sent. */
  readonly segments: readonly string[];
  readonly query: Readonly<Record<string, readonly string[]>>;
  /** The only value of a field as sent, credentials included; null when absent or doubled. @param name Lower case. */
  header(name: string): string | null;
  /** Lower-case protocol of an Upgrade, or null. */
  readonly upgrade: string | null;
  /** Parsed, or null where there is none or it is not known. */
  readonly body: Json;
  /** True where there is a body of which `body` does not tell the content. */
  readonly bodyUnknown: boolean;
}

export type Recogniser = (request: ApiRequest) => ActionFacts | null;

/** An action of which only the given parts are known. */
export function action(service: string | null, access: Access, more: Partial<ActionFacts> = {}): ActionFacts {
  return {
    service,
    operation: null,
    resource: null,
    namespace: null,
    name: null,
    subresource: null,
    tags: [],
    ...more,
    access,
  };
}

/** The value of an object's field; null for anything that has no such field. */
export function field(value: Json | undefined, name: string): Json {
  return isJsonObject(value) && Object.hasOwn(value, name) ? (value[name] ?? null) : null;
}

/** The same for text; a form field given once counts as text. */
export function textField(value: Json | undefined, name: string): string | null {
  const found = field(value, name);
  if (typeof found === 'string') return found;
  return Array.isArray(found) && found.length === 1 && typeof found[0] === 'string' ? found[0] : null;
}
