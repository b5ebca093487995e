/** Owns telling a JSON object from the other values. Must never know what an object says. */

import type { Json } from './facts.ts';

export type JsonObject = { [key: string]: Json };

/** For a value that came out of JSON.parse, YAML or `Json`: an object, and neither null nor an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
