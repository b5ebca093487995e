/**
 * Owns `${NAME}` and `file:`: how values reach the configuration without standing in it.
 * Must never put a value that it resolved into a message.
 */

import type { ConfigPath } from './yaml.ts';

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Text of a file, its path relative to the configuration file. @throws where it cannot be read. */
  readFile(path: string): string;
}

export interface ReferenceProblem {
  readonly path: ConfigPath;
  readonly message: string;
}

/** Replaces references in every string of `value`, collecting what cannot be resolved. */
export function resolveReferences(
  value: unknown,
  surroundings: Surroundings,
  problems: ReferenceProblem[],
  path: ConfigPath = [],
): unknown {
  if (typeof value === 'string') return resolveString(value, surroundings, problems, path);
  if (Array.isArray(value)) {
    return value.map((item, index) => resolveReferences(item, surroundings, problems, [...path, index]));
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        key,
        resolveReferences(item, surroundings, problems, [...path, key]),
      ]),
    );
  }
  return value;
}

function resolveString(
  text: string,
  surroundings: Surroundings,
  problems: ReferenceProblem[],
  path: ConfigPath,
): string {
  const expanded = text.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (whole, name: string) => {
    const value = surroundings.env[name];
    if (value !== undefined && value !== '') return value;
    problems.push({ path, message: `the environment has no ${name}` });
    return whole;
  });
  if (!expanded.startsWith('file:')) return expanded;
  const name = expanded.slice('file:'.length);
  try {
    return surroundings.readFile(name).trim();
  } catch {
    problems.push({ path, message: `cannot read the file ${name}` });
    return expanded;
  }
}
