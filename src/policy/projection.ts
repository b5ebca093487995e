/**
 * Owns what policy gets to see of the input: only the paths that it reads. That makes the document small and its text
 * an exact cache key, free of `time` where no rule reads it. Must never leave out a path that a rule may read: the list
 * comes from the policy's own syntax trees, written into the bundle when it is built.
 */

import type { PolicyInput } from '../core/facts.ts';

/** Paths below `input`, such as `["sql", "flags"]`. The empty path is all of it. */
export type ReadPaths = readonly (readonly string[])[];

type Branch = { [key: string]: Branch | true };

/** A function from an input to the JSON text that the policy is given. */
export function createProjection(paths: ReadPaths | null): (input: PolicyInput) => string {
  const tree = paths && branchOf(paths);
  if (!tree || tree === true) return (input) => JSON.stringify(input);
  return (input) => JSON.stringify(project(input, tree));
}

function branchOf(paths: ReadPaths): Branch | true {
  const root: Branch = Object.create(null);
  for (const path of paths) {
    if (path.length === 0) return true;
    insert(root, path);
  }
  return root;
}

function insert(root: Branch, path: readonly string[]): void {
  let branch = root;
  for (const [index, key] of path.entries()) {
    const next = branch[key];
    if (next === true) return;
    if (index === path.length - 1) {
      branch[key] = true;
      return;
    }
    const below: Branch = next ?? Object.create(null);
    branch[key] = below;
    branch = below;
  }
}

function project(value: unknown, branch: Branch): unknown {
  // What is not an object has no paths below it; the policy sees it as it is.
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const seen: Record<string, unknown> = {};
  for (const key in branch) {
    const item = (value as Record<string, unknown>)[key];
    if (item === undefined || !Object.hasOwn(value, key)) continue;
    const below = branch[key];
    seen[key] = below === true || below === undefined ? item : project(item, below);
  }
  return seen;
}
