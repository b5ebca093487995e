/**
 * Builds a policy bundle from Rego sources: lints, checks, tests, compiles to WebAssembly, and proves that the result
 * loads and decides.
 *
 *   npm run policy:build                                    the default packs into builtin.tar.gz
 *   npm run policy:build -- --check                         prove that the committed bundle is of these sources
 *   npm run policy:build -- --source DIR --out FILE         your own packs (a copy of this folder, changed)
 *   npm run policy:build -- --capabilities                  find anew which built-ins a compiled policy can call
 */

import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { tsImport } from 'tsx/esm/api';
import { parse as parseYaml } from 'yaml';
import { archiveOf } from './tools/archive.mjs';
import { capabilitiesFor } from './tools/capabilities.mjs';
import { findOpa, NO_OPA, run } from './tools/opa.mjs';
import { hoistMetadata, lint, parseModules, readPaths } from './tools/sources.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const CAPABILITIES = join(HERE, 'capabilities.json');
const SCHEMA = join(HERE, 'schema', 'input.json');
const ENTRYPOINT = 'holdpoint/decision';
const COVERAGE = 95;

/** Holdpoint's own reading of bundles, so that what is built here is what it loads. */
const holdpoint = (name) => tsImport(`../src/policy/${name}.ts`, import.meta.url);

async function main() {
  const { values } = parseArgs({
    options: {
      check: { type: 'boolean', default: false },
      capabilities: { type: 'boolean', default: false },
      source: { type: 'string', default: HERE },
      out: { type: 'string' },
    },
  });
  const opa = findOpa({ install: !values.check });
  if (!opa) throw new Error(NO_OPA);
  if (values.capabilities) return writeCapabilities(opa);
  const source = resolve(values.source);
  const out = resolve(values.out ?? join(source, 'builtin.tar.gz'));
  const files = await build(opa, source);
  if (values.check) return prove(out, files);
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, await archiveOf(files));
  console.log(`wrote ${out}: ${await tryOut(out)}`);
}

/** The bundle's files by path. */
async function build(opa, source) {
  const stage = mkdtempSync(join(tmpdir(), 'holdpoint-policy-'));
  try {
    const sources = await stageSources(source, stage);
    const packs = sources.filter((file) => !file.endsWith('_test.rego'));
    run(opa, ['fmt', '--fail', '--list', ...sources], { cwd: stage });
    run(opa, ['check', '--strict', '--schema', SCHEMA, '--bundle', '.'], { cwd: stage });
    const modules = parseModules(opa, stage, packs);
    const problems = lint(modules);
    if (problems.length > 0) throw new Error(problems.join('\n'));
    console.log(testPacks(opa, stage));
    return await compile(opa, stage, sources, modules);
  } finally {
    rmSync(stage, { recursive: true });
  }
}

/** Copies what belongs into the bundle; the knobs become data.config, with their prepared form for the tests. */
async function stageSources(source, stage) {
  const all = readdirSync(source, { recursive: true }).map((path) => path.replaceAll('\\', '/'));
  const { prepareData } = await holdpoint('prepare-data');
  for (const path of all.filter((name) => /\.rego$|\/data\.(?:ya?ml|json)$/.test(name))) {
    cpSync(join(source, path), join(stage, path));
  }
  const config = parseYaml(readFileSync(join(source, 'data.yaml'), 'utf8')) ?? {};
  for (const [name, content] of Object.entries({ config, prepared: prepareData(config) })) {
    mkdirSync(join(stage, name));
    writeFileSync(join(stage, name, 'data.json'), JSON.stringify(content));
  }
  return all.filter((path) => path.endsWith('.rego')).sort();
}

function testPacks(opa, stage) {
  const args = ['test', '--bundle', '.', '--coverage', '--format', 'json', '--threshold', String(COVERAGE)];
  const { coverage } = JSON.parse(run(opa, args, { cwd: stage }));
  return `the tests pass and cover ${coverage.toFixed(1)} %`;
}

async function compile(opa, stage, sources, modules) {
  const { annotations, modules: hoisted } = hoistMetadata(modules);
  for (const { file, text } of hoisted) writeFileSync(join(stage, file), text);
  for (const file of sources.filter((path) => path.endsWith('_test.rego'))) rmSync(join(stage, file));
  rmSync(join(stage, 'prepared'), { recursive: true });
  mkdirSync(join(stage, 'annotations'));
  writeFileSync(join(stage, 'annotations', 'data.json'), JSON.stringify(annotations));
  // Paths go into the module: from inside the directory they are the same everywhere.
  const built = join(stage, 'built.tar.gz');
  run(
    opa,
    ['build', '-t', 'wasm', '-e', ENTRYPOINT, '--capabilities', CAPABILITIES, '-b', '.', '-o', built],
    {
      cwd: stage,
    },
  );
  const { readBundleFiles } = await holdpoint('bundle-files');
  const files = await readBundleFiles(built);
  const manifest = {
    revision: '',
    roots: [''],
    wasm: [{ entrypoint: ENTRYPOINT, module: '/policy.wasm' }],
    rego_version: 1,
    metadata: { holdpoint: { reads: readPaths(modules) } },
  };
  return {
    '.manifest': Buffer.from(JSON.stringify(manifest)),
    'data.json': Buffer.from(files.get('data.json')),
    'policy.wasm': Buffer.from(files.get('policy.wasm')),
  };
}

/** Loads the bundle as Holdpoint does and has it decide: a module can be written and still not run. */
async function tryOut(bundle) {
  const [
    { loadBundle },
    { describeModule },
    { createInstance },
    { verdictOf },
    { missingBuiltins },
    { WARM_UP },
  ] = await Promise.all(['bundle', 'module', 'instance', 'verdict', 'builtins', 'warm-up'].map(holdpoint));
  const { wasm, data, entrypoint, revision } = await loadBundle({ bundle, data: null });
  const { module, builtins } = await describeModule(wasm);
  const missing = missingBuiltins(builtins);
  if (missing.length > 0) throw new Error(`the module needs ${missing.join(', ')}`);
  const evaluate = createInstance({ module, data, entrypoint, maximumPages: 1024 });
  const effects = WARM_UP.map((input) => {
    const { decision, failure } = verdictOf(JSON.parse(evaluate(JSON.stringify(input))), revision);
    if (failure !== null) throw new Error(`the module does not decide: ${decision.message}`);
    return `${input.kind} ${decision.effect}`;
  });
  return `revision ${revision}, ${wasm.length} octets, decides (${effects.join(', ')})`;
}

async function prove(committed, files) {
  const { readBundleFiles } = await holdpoint('bundle-files');
  const there = await readBundleFiles(committed);
  const stale = Object.entries(files).filter(
    ([path, content]) => !content.equals(there.get(path) ?? Buffer.alloc(0)),
  );
  if (stale.length > 0 || there.size !== Object.keys(files).length) {
    throw new Error(
      `${committed} is not of these sources (${stale.map(([path]) => path)}): npm run policy:build`,
    );
  }
  console.log(`${committed} is of these sources: ${await tryOut(committed)}`);
}

async function writeCapabilities(opa) {
  const { BUILTINS } = await holdpoint('builtins');
  const { readBundleFiles } = await holdpoint('bundle-files');
  const { describeModule } = await holdpoint('module');
  const describe = async (bundle) => {
    const { builtins } = await describeModule((await readBundleFiles(bundle)).get('policy.wasm'));
    rmSync(dirname(bundle), { recursive: true });
    return builtins;
  };
  const capabilities = await capabilitiesFor(opa, Object.keys(BUILTINS), describe);
  writeFileSync(CAPABILITIES, `${JSON.stringify(capabilities, null, 2)}\n`);
  console.log(`wrote ${CAPABILITIES}: ${capabilities.builtins.length} built-ins`);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
