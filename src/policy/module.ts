/**
 * Owns what can be told of a compiled policy before it runs: that it is valid WebAssembly of OPA's ABI, and which host
 * built-ins it will call. Must never evaluate.
 */

import { messageOf } from '../core/errors.ts';
import { PolicyLoadError } from './load-error.ts';

export interface ModuleDescription {
  readonly module: WebAssembly.Module;
  /** Names of the host built-ins that it imports. */
  readonly builtins: readonly string[];
}

/** OPA's `opa_builtin0` to `opa_builtin4`, and the two that print: nothing is called while a module is described. */
const IMPORTS = [
  'opa_abort',
  'opa_println',
  'opa_builtin0',
  'opa_builtin1',
  'opa_builtin2',
  'opa_builtin3',
  'opa_builtin4',
];

const PAGES = 64;

/** @throws PolicyLoadError */
export async function describeModule(wasm: Uint8Array): Promise<ModuleDescription> {
  try {
    const module = await WebAssembly.compile(wasm);
    return { module, builtins: builtinsOf(module) };
  } catch (error) {
    const reason = messageOf(error);
    throw new PolicyLoadError([`policy.wasm is not a policy that can be run (${reason})`], { cause: error });
  }
}

function builtinsOf(module: WebAssembly.Module): string[] {
  const memory = new WebAssembly.Memory({ initial: PAGES });
  const refuse = (): never => {
    throw new Error('the module calls out while it is described');
  };
  const env = { memory, ...Object.fromEntries(IMPORTS.map((name) => [name, refuse])) };
  const { exports } = new WebAssembly.Instance(module, { env });
  const call = (name: string, ...args: number[]): number => {
    const exported = exports[name];
    if (typeof exported !== 'function') throw new Error(`it has no ${name}`);
    return exported(...args);
  };
  const address = call('opa_json_dump', call('builtins'));
  const octets = new Uint8Array(memory.buffer);
  const end = octets.indexOf(0, address);
  return Object.keys(JSON.parse(new TextDecoder().decode(octets.subarray(address, end))));
}
