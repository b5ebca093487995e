/**
 * Owns turning holdpoint.yaml into a frozen Config, with every problem at once, each with its line and path.
 * Must never start anything.
 */

import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { consistencyProblems } from './consistency.ts';
import { type Config, configSchema } from './schema.ts';
import { type ReferenceProblem, resolveReferences } from './secrets.ts';
import { missingFiles, type NamedAddress, namedAddresses, pathText } from './survey.ts';
import { type ConfigPath, readYaml, type YamlFile } from './yaml.ts';

/** All that is wrong with a configuration; one line each. */
export class ConfigError extends Error {
  readonly problems: readonly string[];
  /** What it would listen on, as far as that can be read: for whoever wants to know all that is in the way. */
  readonly addresses: readonly NamedAddress[];
  constructor(problems: readonly string[], addresses: readonly NamedAddress[] = []) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
    this.addresses = addresses;
  }
}

/**
 * Reads, checks and freezes a configuration; paths in it become absolute, relative ones from the file's folder.
 * @throws ConfigError naming every problem.
 */
export function loadConfig(file: string, env: Readonly<Record<string, string | undefined>>): Config {
  const yaml = readFile(file);
  const base = dirname(resolve(file));
  const problems: ReferenceProblem[] = [];
  const surroundings = {
    env,
    readFile: (name: string) => readFileSync(resolve(base, name), 'utf8'),
  };
  const value = resolveReferences(yaml.value, surroundings, problems);
  const result = configSchema.safeParse(value);
  if (!result.success) problems.push(...newProblems(result.error.issues.flatMap(describeIssue), problems));
  problems.push(...missingFiles(value, base));
  // One wrong value does not hide what is wrong elsewhere: the rest is looked at without it, where it can be.
  const sound = result.success ? result : configSchema.safeParse(without(value, problems));
  if (sound.success) problems.push(...newProblems(consistencyProblems(sound.data), problems));
  if (problems.length > 0 || !result.success)
    throw new ConfigError(inOrder(problems, file, yaml), namedAddresses(value));
  return deepFreeze(withAbsolutePaths(result.data, base));
}

/** Those about places of which nothing was said yet: one cause, one line. */
function newProblems(found: readonly ReferenceProblem[], said: readonly ReferenceProblem[]) {
  const places = new Set(said.map(({ path }) => pathText(path)));
  return found.filter(({ path }) => !places.has(pathText(path)));
}

/** A copy that lacks the keys at which something is wrong. */
function without(value: unknown, problems: readonly ReferenceProblem[]): unknown {
  const copy: unknown = structuredClone(value);
  for (const { path } of problems) {
    const parent = at(copy, path.slice(0, -1));
    const key = path.at(-1);
    // Not out of a list: what comes after would be told by the wrong index.
    if (typeof key === 'string' && isTree(parent)) delete parent[key];
  }
  return copy;
}

function at(value: unknown, path: ConfigPath): unknown {
  return path.reduce<unknown>((inner, key) => (isTree(inner) ? inner[key] : undefined), value);
}

function isTree(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null;
}

/**
 * The state directory that a configuration names, absolute, and nothing else of it: who looks at a log or at the
 * authority has no need of the secrets that the rest refers to. @throws ConfigError
 */
export function loadStateDir(file: string, env: Readonly<Record<string, string | undefined>>): string {
  const yaml = readFile(file);
  const problems: ReferenceProblem[] = [];
  const surroundings = {
    env,
    readFile: (name: string) => readFileSync(resolve(dirname(file), name), 'utf8'),
  };
  const path = ['state_dir'];
  const value = resolveReferences(at(yaml.value, path), surroundings, problems, path);
  const result = configSchema.shape.state_dir.safeParse(value);
  if (!result.success && problems.length === 0)
    problems.push(...result.error.issues.flatMap((issue) => describeIssue({ ...issue, path })));
  if (problems.length > 0 || !result.success) throw new ConfigError(inOrder(problems, file, yaml));
  return resolve(dirname(file), result.data);
}

/** @throws ConfigError when it cannot be read, or is no YAML. */
function readFile(file: string): YamlFile {
  const yaml = readYaml(readText(file));
  if (yaml.problems.length === 0) return yaml;
  throw new ConfigError(yaml.problems.map(({ line, message }) => `${file}:${line}: ${message}`));
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new ConfigError([`${file}: cannot be read (${why})`]);
  }
}

interface Issue {
  readonly code: string;
  readonly path: PropertyKey[];
  readonly message: string;
  readonly keys?: string[];
}

function describeIssue(issue: Issue): ReferenceProblem[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
  if (issue.code === 'unrecognized_keys') {
    return (issue.keys ?? []).map((key) => ({
      path: [...path, key],
      message: 'unknown key',
    }));
  }
  if (/received undefined$/.test(issue.message)) return [{ path, message: 'missing' }];
  return [{ path, message: issue.message.replace(/^Invalid input: /, '') }];
}

function inOrder(problems: readonly ReferenceProblem[], file: string, yaml: YamlFile): string[] {
  return problems
    .map(({ path, message }) => ({
      line: yaml.lineOf(path),
      text: `${pathText(path)}: ${message}`,
    }))
    .sort((a, b) => a.line - b.line)
    .map(({ line, text }) => `${file}:${line}: ${text}`);
}

function withAbsolutePaths(config: Config, base: string): Config {
  const absolute = (path: string) => (isAbsolute(path) ? path : resolve(base, path));
  const { http, policy, approvals, embedded_postgres: embedded } = config;
  return {
    ...config,
    state_dir: absolute(config.state_dir),
    ...(http && {
      http: {
        ...http,
        upstream: { ...http.upstream, ca: http.upstream.ca.map(absolute) },
      },
    }),
    policy: {
      ...policy,
      bundle: policy.bundle === 'builtin' ? 'builtin' : absolute(policy.bundle),
      ...(policy.data !== undefined && { data: absolute(policy.data) }),
    },
    approvals: {
      ...approvals,
      tokens: approvals.tokens.map((token) =>
        'file' in token ? { ...token, file: absolute(token.file) } : token,
      ),
    },
    ...(embedded && {
      embedded_postgres: {
        ...embedded,
        data_dir: absolute(embedded.data_dir),
        sample: absolute(embedded.sample),
      },
    }),
  };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const item of Object.values(value)) deepFreeze(item);
  }
  return value;
}
