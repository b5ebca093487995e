/** Where the programs are run from: in place when that can be, else a copy that is made once and is ours alone. */

import { chmod, mkdir, mkdtemp, readdir, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { locateBinaries, type PostgresPackage, runnable } from '../../src/embedded/binaries.ts';

const NOBODY = { uid: 65534, gid: 65534 };
let base: string;
let cache: string;
let found: PostgresPackage;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'holdpoint-binaries-'));
  cache = join(base, 'cache');
  const native = join(base, 'package', 'native');
  await mkdir(join(native, 'bin'), { recursive: true });
  await mkdir(join(native, 'lib'));
  await writeFile(join(native, 'bin', 'postgres'), 'program', { mode: 0o755 });
  await writeFile(join(native, 'lib', 'libpq.so.5.18'), 'library');
  const links = [{ source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }];
  found = { native, version: '18.0.0', links };
});

afterEach(() => rm(base, { recursive: true, force: true }));

const link = (): Promise<void> => symlink('libpq.so.5.18', join(found.native, 'lib', 'libpq.so.5'));
const copyOf = (postgres: string): string => dirname(dirname(postgres));

describe('the package as installed', () => {
  it('is run in place when its links are there', async () => {
    await link();
    const { postgres } = await runnable(found, null, [cache]);
    expect(postgres).toBe(join(found.native, 'bin', 'postgres'));
  });

  it('is run in place by another account only when that can reach it', async () => {
    await link();
    // mkdtemp makes directories of mode 0700.
    await expect(runnable(found, NOBODY, [])).rejects.toMatchObject({ code: 'no_binaries' });
    await chmod(base, 0o755);
    const { postgres } = await runnable(found, NOBODY, []);
    expect(postgres).toBe(join(found.native, 'bin', 'postgres'));
  });

  it('is never written to: missing links are made in a copy', async () => {
    const { postgres } = await runnable(found, null, [cache]);
    expect(dirname(copyOf(postgres))).toMatch(/cache\/postgresql-18\.0\.0-/);
    expect(await readlink(join(copyOf(postgres), 'lib', 'libpq.so.5'))).toBe('libpq.so.5.18');
    expect(await readdir(join(found.native, 'lib'))).toEqual(['libpq.so.5.18']);
  });
});

describe('the copy', () => {
  it('is made once for a version, by however many at once', async () => {
    const [first, ...others] = await Promise.all([1, 2, 3].map(() => runnable(found, null, [cache])));
    expect(others).toEqual([first, first]);
    expect(await readdir(cache)).toHaveLength(1);
    const { ino } = await stat(first?.postgres ?? '');
    const again = await runnable(found, null, [cache]);
    expect((await stat(again.postgres)).ino).toBe(ino);
  });

  it('goes to the next place when the first is closed to the account that will run it', async () => {
    const open = join(base, 'open');
    await mkdir(open);
    await mkdir(cache, { mode: 0o700 });
    await chmod(base, 0o755);
    const { postgres } = await runnable(found, NOBODY, [cache, open]);
    expect(postgres.startsWith(open)).toBe(true);
  });

  it('is not taken from a directory that others can write', async () => {
    await mkdir(cache);
    await chmod(cache, 0o777);
    await expect(runnable(found, null, [cache])).rejects.toMatchObject({
      code: 'no_binaries',
      message: expect.stringContaining('only this user can write'),
    });
  });
});

it('finds the programs of this platform', async () => {
  const { postgres, version } = await locateBinaries(null);
  expect(version).toMatch(/^18\./);
  expect((await stat(postgres)).mode & 0o111).not.toBe(0);
});
