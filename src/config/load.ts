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
import { readYaml, type YamlFile } from './yaml.ts';

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
  const text = readText(file);
  const base = dirname(resolve(file));
  const yaml = readYaml(text);
  if (yaml.problems.length > 0) {
    throw new ConfigError(yaml.problems.map(({ line, message }) => `${file}:${line}: ${message}`));
  }
  const problems: ReferenceProblem[] = [];
  const surroundings = {
    env,
    readFile: (name: string) => readFileSync(resolve(base, name), 'utf8'),
  };
  const value = resolveReferences(yaml.value, surroundings, problems);
  const result = configSchema.safeParse(value);
  if (!result.success) problems.push(...result.error.issues.flatMap(describeIssue));
  const config = result.success ? withAbsolutePaths(result.data, base) : null;
  problems.push(...(config ? consistencyProblems(config) : []), ...missingFiles(value, base));
  if (problems.length > 0 || !config)
    throw new ConfigError(inOrder(problems, file, yaml), namedAddresses(value));
  return deepFreeze(config);
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
