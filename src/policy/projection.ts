/**
 * Owns what policy gets to see of the input: only the paths that it reads. That makes the document small, and gives an
 * exact cache key, free of `time` where no rule reads it. Must never leave out a path that a rule may read: the list
 * comes from the policy's own syntax trees, written into the bundle when it is built.
 */

import type { PolicyInput } from '../core/facts.ts';

/** Paths below `input`, such as `["sql", "flags"]`. The empty path is all of it. */
export type ReadPaths = readonly (readonly string[])[];

export interface Projection {
  /** The JSON text that the policy is given. */
  text(input: PolicyInput): string;
  /**
   * Equal for two inputs only where their texts are equal. Parts that are frozen through and through, as the facts of
   * a cached statement are, stand in it by their identity and are not read again.
   */
  key(input: PolicyInput): string;
}

/** Null: the policy may read anything. */
export function createProjection(paths: ReadPaths | null): Projection {
  const write = writerOf(paths ?? [[]], writeJson);
  const writeKey = writerOf(paths ?? [[]], identities());
  return { text: (input) => write(input) ?? 'null', key: (input) => writeKey(input) ?? 'null' };
}

/** Text of a value, or undefined where JSON has none. */
type Writer = (value: unknown) => string | undefined;

const writeJson: Writer = (value) => JSON.stringify(value);

/** A writer of the members that `paths` name, each whole one by `writeWhole`. It is put together once. */
function writerOf(paths: ReadPaths, writeWhole: Writer): Writer {
  if (paths.some((path) => path.length === 0)) return writeWhole;
  const members = [...new Set(paths.map(([key]) => key ?? ''))].map((key) => {
    const below = paths.filter((path) => path[0] === key).map((path) => path.slice(1));
    return { key, label: `${JSON.stringify(key)}:`, write: writerOf(below, writeWhole) };
  });
  return (value) => {
    // What is not an object has no paths below it; the policy sees it as it is.
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return writeWhole(value);
    const object = value as Record<string, unknown>;
    let text = '';
    for (const { key, label, write } of members) {
      // An inherited property is not part of the document.
      if (!Object.hasOwn(object, key)) continue;
      const member = write(object[key]);
      if (member !== undefined) text += text === '' ? label + member : `,${label}${member}`;
    }
    return `{${text}}`;
  };
}

/** Writes `@` and a number for what is deeply frozen: it can never come to mean anything else. JSON has no `@`. */
function identities(): Writer {
  const known = new WeakMap<object, string>();
  let last = 0;
  const write: Writer = (value) => {
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    const name = known.get(value);
    if (name !== undefined) return name;
    if (isDeeplyFrozen(value)) {
      last += 1;
      known.set(value, `@${last}`);
      return `@${last}`;
    }
    // A fresh list of statements may still hold frozen ones.
    return Array.isArray(value)
      ? `[${value.map((item) => write(item) ?? 'null').join()}]`
      : JSON.stringify(value);
  };
  return write;
}

function isDeeplyFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(isDeeplyFrozen);
}
