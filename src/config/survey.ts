/**
 * Owns what a configuration names on this machine: files that have to be there, addresses that have to be free. Read
 * from the values as written, so that a mistake in one key does not hide what another one lacks. Must never take an
 * address.
 */

import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { SocketAddress } from '../core/address.ts';
import { parseListen } from './scalars.ts';
import type { ReferenceProblem } from './secrets.ts';
import type { ConfigPath } from './yaml.ts';

export interface NamedAddress extends SocketAddress {
  /** The configuration's key. */
  readonly key: string;
}

const EACH = Symbol('each');
type Place = readonly (string | typeof EACH)[];

const FILES: readonly Place[] = [
  ['http', 'upstream', 'ca', EACH],
  ['policy', 'bundle'],
  ['policy', 'data'],
  ['embedded_postgres', 'sample'],
];

const ADDRESSES: readonly Place[] = [
  ['control', 'listen'],
  ['http', 'listen'],
  ['postgres', EACH, 'listen'],
  ['approvals', 'slack', 'listen'],
  ['embedded_postgres', 'listen'],
];

/** Files named and not there; relative ones from `base`. */
export function missingFiles(value: unknown, base: string): ReferenceProblem[] {
  return stringsAt(value, FILES)
    .filter(({ path, text }) => !(path.join('.') === 'policy.bundle' && text === 'builtin'))
    .map(({ path, text }) => ({ path, file: resolve(base, text) }))
    .filter(({ file }) => statSync(file, { throwIfNoEntry: false }) === undefined)
    .map(({ path, file }) => ({ path, message: `there is no file ${file}` }));
}

/** Addresses to listen on, as far as they can be read. */
export function namedAddresses(value: unknown): NamedAddress[] {
  return stringsAt(value, ADDRESSES).flatMap(({ path, text }) => {
    const address = parseListen(text);
    return address ? [{ key: pathText(path), ...address }] : [];
  });
}

/** `postgres[0].listen`; the file itself for the empty path. */
export function pathText(path: ConfigPath): string {
  let text = '';
  for (const part of path) text += typeof part === 'number' ? `[${part}]` : `${text && '.'}${part}`;
  return text || 'the file';
}

function stringsAt(value: unknown, places: readonly Place[]): { path: ConfigPath; text: string }[] {
  return places.flatMap((place) => find(value, place, []));
}

function find(
  value: unknown,
  [part, ...rest]: Place,
  path: ConfigPath,
): { path: ConfigPath; text: string }[] {
  if (part === undefined) return typeof value === 'string' ? [{ path, text: value }] : [];
  if (part === EACH) {
    return Array.isArray(value) ? value.flatMap((item, index) => find(item, rest, [...path, index])) : [];
  }
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return [];
  return find(Object.getOwnPropertyDescriptor(value, part)?.value, rest, [...path, part]);
}
