/**
 * Owns policies/capabilities.json: the built-in functions that a compiled policy can really call, so that `opa build`
 * refuses any other. Found by compiling a call of each and asking the module which ones it wants from its host.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './opa.mjs';

/** Rewritten by the compiler, or part of the language. */
const LANGUAGE = /^(?:internal\.(?:member_[23]|template_string)|rego\.metadata\.rule|assign|eq)$/;
const PROBED = /^(?!internal\.|rego\.metadata|print$|trace$|assign$|eq$|http\.send$)/;

/** @param host names of the built-ins that Holdpoint lends. @param describe finds a module's host built-ins. */
export async function capabilitiesFor(opa, host, describe) {
  const capabilities = JSON.parse(run(opa, ['capabilities', '--current']));
  const probed = capabilities.builtins.filter(({ name, deprecated }) => PROBED.test(name) && !deprecated);
  const wanted = new Set(await describe(compileCalls(opa, probed)));
  const native = new Set(probed.map(({ name }) => name).filter((name) => !wanted.has(name)));
  return {
    ...capabilities,
    builtins: capabilities.builtins.filter(
      ({ name }) => LANGUAGE.test(name) || native.has(name) || host.includes(name),
    ),
  };
}

/** A module that calls each of `builtins`. */
function compileCalls(opa, builtins) {
  const directory = mkdtempSync(join(tmpdir(), 'holdpoint-capabilities-'));
  try {
    const rules = builtins.map((builtin) => `called contains answer if ${callOf(builtin)}`);
    writeFileSync(join(directory, 'probe.rego'), `package probe\n\n${rules.join('\n\n')}\n`);
    run(opa, ['build', '-t', 'wasm', '-e', 'probe/called', '-o', 'probe.tar.gz', 'probe.rego'], {
      cwd: directory,
    });
    return join(directory, 'probe.tar.gz');
  } catch (error) {
    rmSync(directory, { recursive: true });
    throw error;
  }
}

function callOf({ name, decl, infix, relation }) {
  const args = (decl.args ?? []).map((_, index) => `input.a${index}`);
  if (relation) return `${name}(${args[0]}, answer)`;
  return infix ? `answer := ${args[0]} ${infix} ${args[1]}` : `answer := ${name}(${args.join(', ')})`;
}
