/**
 * Owns what is known of Rego sources from their syntax trees: the findings that their rules make, the input paths that
 * they read, and what the packs may not do. Must never trust a text match where the tree can tell.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './opa.mjs';

/** Each module with its tree. `files` are paths below `directory`. */
export function parseModules(opa, directory, files) {
  return files.map((file) => {
    const json = run(opa, ['parse', '--format', 'json', '--json-include', 'locations', file], {
      cwd: directory,
    });
    return { file, text: readFileSync(join(directory, file), 'utf8'), tree: JSON.parse(json) };
  });
}

/**
 * Paths below `input` that the modules read. `opa deps` is not used: it does not look into `else`. A reference ends
 * where it stops being constant; `input` on its own is the empty path, which is all of it.
 */
export function readPaths(modules) {
  const paths = new Map();
  const add = (path) => paths.set(path.join('.'), path);
  const visit = (node) => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (typeof node !== 'object' || node === null) return;
    if (node.type === 'var' && node.value === 'input') add([]);
    if (node.type === 'ref' && node.value?.[0]?.type === 'var' && node.value[0].value === 'input') {
      const rest = node.value.slice(1);
      const end = rest.findIndex((term) => term.type !== 'string');
      add((end < 0 ? rest : rest.slice(0, end)).map((term) => term.value));
      return rest.forEach(visit);
    }
    for (const value of Object.values(node)) visit(value);
  };
  for (const { tree } of modules) visit([tree.imports ?? [], tree.rules ?? []]);
  return [...paths.values()].sort((a, b) => (a.join('.') < b.join('.') ? -1 : 1));
}

const PACK = /^data\.holdpoint\.(?:any|http|postgres)\.\w+$/;

const nameOf = (terms) => terms.map((term) => term.value).join('.');
const headOf = (rule) => rule.head.name ?? rule.head.ref?.[0]?.value;

/** What is wrong with the packs, a sentence each. */
export function lint(modules) {
  const problems = [];
  for (const { file, text, tree } of modules) {
    if (callsSprintf(tree)) {
      problems.push(`${file}: sprintf makes a rule vanish when an argument is undefined; write $"… {value}"`);
    }
    if (!tree.annotations?.some(({ scope, title }) => scope === 'package' && title)) {
      problems.push(`${file}: the package has no METADATA with a title`);
    }
    if (!PACK.test(nameOf(tree.package.path))) continue;
    for (const rule of tree.rules ?? []) {
      if (!['allow', 'hold', 'deny'].includes(headOf(rule))) continue;
      const at = `${file}:${rule.location.row}`;
      const custom = rule.annotations?.[0]?.custom;
      if (!rule.annotations?.[0]?.title) problems.push(`${at}: the rule has no METADATA with a title`);
      for (const key of ['id', 'severity', 'controls']) {
        if (!custom?.[key]) problems.push(`${at}: METADATA has no custom.${key}`);
      }
    }
    if (text.includes('rego.metadata.chain')) problems.push(`${file}: use rego.metadata.rule()`);
  }
  return problems;
}

function callsSprintf(node) {
  if (Array.isArray(node)) return node.some(callsSprintf);
  if (typeof node !== 'object' || node === null) return false;
  if (node.type === 'ref' && nameOf(node.value) === 'sprintf') return true;
  return Object.values(node).some(callsSprintf);
}

/**
 * The METADATA of rules by their id, and the modules with `rego.metadata.rule()` replaced by a reference to it. The
 * compiler puts that object in front of a rule's conditions, where it is built for every request; as data it is built
 * once. The meaning is the same: `opa eval` of the sources and the compiled module are compared by a test.
 */
export function hoistMetadata(modules) {
  const annotations = {};
  const hoisted = modules.map(({ file, text, tree }) => {
    const lines = text.split('\n');
    const rules = [...(tree.rules ?? [])].sort((a, b) => a.location.row - b.location.row);
    for (const [index, rule] of rules.entries()) {
      const annotation = rule.annotations?.[0];
      const id = annotation?.custom?.id;
      if (!id) continue;
      const { location: _, ...kept } = annotation;
      if (annotations[id] && JSON.stringify(annotations[id].custom) !== JSON.stringify(kept.custom)) {
        throw new Error(`${file}:${rule.location.row}: ${id} is described in two ways`);
      }
      annotations[id] ??= kept;
      const end = (rules[index + 1]?.location.row ?? lines.length + 1) - 1;
      for (let row = rule.location.row - 1; row < end; row += 1) {
        lines[row] = lines[row].replaceAll('rego.metadata.rule()', `data.annotations[${JSON.stringify(id)}]`);
      }
    }
    return { file, text: lines.join('\n') };
  });
  return { annotations, modules: hoisted };
}
