import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = resolve(import.meta.dirname, '../src');

/** Which folders of src/ a folder may import from, itself aside. The whole of the architecture's arrows. */
const MIDDLE = [
  'protocol',
  'pipeline',
  'policy',
  'approval',
  'store',
  'audit',
  'config',
  'observe',
  'embedded',
];
const ARROWS: Record<string, readonly string[]> = {
  core: [],
  ...Object.fromEntries(MIDDLE.map((folder) => [folder, ['core']])),
  server: ['core', ...MIDDLE],
  app: ['core', ...MIDDLE, 'server'],
  cli: ['core', ...MIDDLE, 'server', 'app'],
  main: ['cli', 'app'],
};

/** Folders without sockets, files, clocks, timers, randomness and process; hashing and unpacking aside. */
const PURE = ['core', 'pipeline', 'protocol'];
const PURE_MODULES = new Set(['node:crypto', 'node:zlib']);
/** The files of protocol/sql that run the parser in a worker, and what only they may use. */
const WORKER_HOSTS = new Set(
  ['worker', 'parser-pool', 'parser-thread'].map((name) => `protocol/sql/${name}.ts`),
);
const IMPURE =
  /\b(?:process\.|setTimeout|setInterval|setImmediate|Date\.now|new Date\(\)|Math\.random|randomBytes|randomUUID|randomInt|getRandomValues|console\.|performance\.now|fetch\()/;

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .sort();

const source = (file: string) => readFileSync(join(SRC, file), 'utf8');
const folderOf = (file: string) => file.split('/')[0]?.replace(/\.ts$/, '') ?? '';

function importsOf(file: string): string[] {
  const found = source(file).matchAll(
    /^\s*(?:import|export)\b[^'";]*?from\s*'([^']+)'|import\(\s*'([^']+)'\s*\)|^import\s+'([^']+)'/gm,
  );
  return [...found].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

function localImports(file: string): string[] {
  return importsOf(file)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => relative(SRC, resolve(join(SRC, dirname(file)), specifier)));
}

describe('the architecture', () => {
  it('has a rule for every folder', () => {
    expect([...new Set(files.map(folderOf))].filter((folder) => !(folder in ARROWS))).toEqual([]);
  });

  it('imports only along the arrows', () => {
    const wrong = files.flatMap((file) =>
      localImports(file)
        .filter((target) => folderOf(target) !== folderOf(file))
        .filter((target) => !ARROWS[folderOf(file)]?.includes(folderOf(target)))
        .map((target) => `${file} → ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('imports only what exists', () => {
    const missing = files.flatMap((file) =>
      localImports(file).filter((target) => !target.startsWith('..') && !existsSync(join(SRC, target))),
    );
    expect(missing).toEqual([]);
  });

  it('has no import cycles', () => {
    const state = new Map<string, 'open' | 'done'>();
    const cycles: string[] = [];
    const visit = (file: string, trail: readonly string[]): void => {
      if (state.get(file) === 'done') return;
      if (state.get(file) === 'open') {
        cycles.push([...trail.slice(trail.indexOf(file)), file].join(' → '));
        return;
      }
      state.set(file, 'open');
      for (const next of localImports(file)) visit(next, [...trail, file]);
      state.set(file, 'done');
    };
    for (const file of files) visit(file, []);
    expect(cycles).toEqual([]);
  });

  it('keeps the pure folders pure', () => {
    const impure = files
      .filter((file) => PURE.includes(folderOf(file)) && !WORKER_HOSTS.has(file))
      .flatMap((file) => {
        const modules = importsOf(file).filter((name) => name.startsWith('node:') && !PURE_MODULES.has(name));
        const code = source(file)
          .split('\n')
          .filter((line) => !/^\s*(?:\/\/|\/?\*)/.test(line));
        const uses = code.filter((line) => IMPURE.test(line)).map((line) => line.trim());
        return [...modules, ...uses].map((what) => `${file}: ${what}`);
      });
    expect(impure).toEqual([]);
  });

  it('mints permits only in the pipeline', () => {
    const minting = files.filter((file) => /\bmintPermit\b|\bnew Permit\b/.test(source(file)));
    expect(minting.filter((file) => folderOf(file) !== 'pipeline')).toEqual(['core/permit.ts']);
  });

  it('verifies the audit log without the code that writes it', () => {
    const reached = new Set<string>();
    const reach = (file: string): void => {
      if (reached.has(file)) return;
      reached.add(file);
      for (const next of localImports(file)) reach(next);
    };
    reach('audit/verify.ts');
    expect([...reached].filter((file) => file === 'audit/log.ts')).toEqual([]);
  });

  it('opens every file with what it owns', () => {
    expect(files.filter((file) => !/^(?:#!.*\n)?\/\*\*/.test(source(file)))).toEqual([]);
  });

  it('keeps files short, and without barrels, default exports and vague names', () => {
    const long = files.filter((file) => source(file).split('\n').length > 301);
    const vague = files.filter((file) => /(?:utils?|helpers?|common|manager|index)\.ts$/.test(file));
    const barrels = files.filter((file) => /^export \* from/m.test(source(file)));
    expect({ long, vague, barrels }).toEqual({ long: [], vague: [], barrels: [] });
  });
});
