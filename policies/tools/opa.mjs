/** Owns the OPA compiler: which version, where it comes from, how it is run. */

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Another version may write another module: the committed bundle is of this one. */
export const OPA_VERSION = '1.19.1';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const CACHE = join(PROJECT, '.cache', 'opa');

/** Path of the compiler, or null. `install`: build it with Go into the project's cache where that is the only way. */
export function findOpa({ install }) {
  const places = [CACHE, ...(process.env.PATH ?? '').split(delimiter), join(homedir(), 'go', 'bin')];
  for (const place of places) {
    const file = join(place, process.platform === 'win32' ? 'opa.exe' : 'opa');
    if (existsSync(file) && versionOf(file) === OPA_VERSION) return file;
  }
  return install ? installWithGo() : null;
}

function versionOf(file) {
  const { stdout } = spawnSync(file, ['version'], { encoding: 'utf8' });
  return /^Version: (\S+)/m.exec(stdout ?? '')?.[1] ?? null;
}

function installWithGo() {
  if (spawnSync('go', ['version']).status !== 0) return null;
  console.log(`building opa ${OPA_VERSION} with Go, once; this takes some minutes`);
  mkdirSync(CACHE, { recursive: true });
  execFileSync('go', ['install', `github.com/open-policy-agent/opa@v${OPA_VERSION}`], {
    stdio: 'inherit',
    env: { ...process.env, GOBIN: CACHE },
  });
  return findOpa({ install: false });
}

export const NO_OPA = `opa ${OPA_VERSION} is needed: put it on the PATH or into .cache/opa, or install Go and run this again`;

/** What it printed. @throws Error with what it said when it did not succeed. */
export function run(opa, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(opa, args, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    ...options,
  });
  if (status !== 0) {
    throw new Error(`opa ${args[0]}: ${error?.message ?? `${stdout}\n${stderr}`.trim()}`);
  }
  return stdout;
}
