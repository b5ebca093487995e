/**
 * Owns the files of a policy bundle as they lie on disk: a directory, or the tar archive that `opa build` and
 * policies/build.mjs write. Bounded in octets. Must never look into what the files say.
 */

import { readdir, readFile, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gunzip, type ZlibOptions } from 'node:zlib';
import { extract } from 'tar-stream';
import { messageOf } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { PolicyLoadError } from './load-error.ts';

/** Contents by path, `/`-separated, without a leading one. */
export type BundleFiles = ReadonlyMap<string, Uint8Array>;

/** @throws PolicyLoadError */
export async function readBundleFiles(location: string): Promise<BundleFiles> {
  try {
    const what = await stat(location);
    return what.isDirectory() ? await readDirectory(location) : await readArchive(location);
  } catch (error) {
    if (error instanceof PolicyLoadError) throw error;
    const reason = messageOf(error);
    throw new PolicyLoadError([`${location}: cannot be read as a bundle (${reason})`], { cause: error });
  }
}

/** What OPA itself reads of a bundle. */
const wanted = (path: string): boolean =>
  /(?:^|\/)data\.(?:json|ya?ml)$|\.rego$/.test(path) ||
  ['.manifest', '.signatures.json', 'policy.wasm'].includes(path);

async function readDirectory(location: string): Promise<BundleFiles> {
  const files = new Map<string, Uint8Array>();
  const measure = meter(location);
  for (const entry of await readdir(location, { recursive: true, withFileTypes: true })) {
    const absolute = join(entry.parentPath, entry.name);
    const path = absolute.slice(join(location, sep).length).split(sep).join('/');
    if (!entry.isFile() || !wanted(path)) continue;
    measure((await stat(absolute)).size);
    files.set(path, await readFile(absolute));
  }
  return files;
}

async function readArchive(location: string): Promise<BundleFiles> {
  const measure = meter(location);
  measure((await stat(location)).size);
  const tar = await unpack(await readFile(location)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(location);
    throw error;
  });
  const files = new Map<string, Uint8Array>();
  const archive = extract();
  archive.end(tar);
  for await (const entry of archive) {
    const path = entry.header.name.replace(/^(?:\.?\/)+/, '');
    const content = await buffer(entry);
    if (entry.header.type === 'file' && wanted(path)) files.set(path, content);
  }
  return files;
}

const unpack = (octets: Uint8Array): Promise<Uint8Array> =>
  promisify<Uint8Array, ZlibOptions, Uint8Array>(gunzip)(octets, { maxOutputLength: LIMITS.policyBundle });

const tooLarge = (location: string): PolicyLoadError =>
  new PolicyLoadError([`${location}: larger than ${LIMITS.policyBundle} octets`]);

function meter(location: string): (octets: number) => void {
  let total = 0;
  return (octets) => {
    total += octets;
    if (total > LIMITS.policyBundle) throw tooLarge(location);
  };
}
