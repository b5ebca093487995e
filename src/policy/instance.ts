/**
 * Owns one instance of a compiled policy: WebAssembly memory, data and host built-ins. Not re-entrant. Knows the SDK,
 * and is the only file that does. Must never be used again after it trapped.
 */

import { createRequire } from 'node:module';
import { BUILTINS } from './builtins.ts';

// The package's ES module lacks what its types promise; its CommonJS one has it.
const sdk: typeof import('@open-policy-agent/opa-wasm') = createRequire(import.meta.url)(
  '@open-policy-agent/opa-wasm',
);

/** 64 KiB pages to begin with; the SDK's own default is too small for a module with much static data. */
const INITIAL_PAGES = 64;

export interface InstanceOptions {
  readonly module: WebAssembly.Module;
  /** Rego's `data` as JSON text. */
  readonly data: string;
  readonly entrypoint: string;
  readonly maximumPages: number;
}

/** Evaluates JSON text to the result set as JSON text. */
export type Instance = (input: string) => string;

/** @throws whatever the module does when it cannot be used. */
export function createInstance(options: InstanceOptions): Instance {
  const { module, data, entrypoint, maximumPages } = options;
  const memory = { initial: Math.min(INITIAL_PAGES, maximumPages), maximum: maximumPages };
  const policy = sdk.loadPolicySync(
    module,
    memory,
    BUILTINS as Record<string, (...args: unknown[]) => unknown>,
  );
  policy.setData(octets(data));
  return (input) => JSON.stringify(policy.evaluate(octets(input), entrypoint));
}

const encoder = new TextEncoder();

/** Octets go in twice as fast as an object, which the SDK would turn into text itself. */
const octets = (text: string): ArrayBuffer => encoder.encode(text).buffer;

/** The SDK throws strings and plain objects. */
export function reasonOf(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown;
  const message = (thrown as { message?: unknown } | null)?.message;
  return typeof message === 'string' ? message : 'unknown';
}
