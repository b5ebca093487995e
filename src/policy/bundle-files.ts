/**
 * Owns the files of a policy bundle as they lie on disk: a directory, or the tar archive that `opa build` and
 * policies/build.mjs write. Bounded in octets. Must never look into what the files say.
 */

import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
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
    const reason = error instanceof Error ? error.message : String(error);
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
  const files = new Map<string, Uint8Array>();
  const measure = meter(location);
  const archive = extract();
  archive.on('entry', (header, stream, next) => {
    const path = header.name.replace(/^(?:\.?\/)+/, '');
    const chunks: Buffer[] = [];
    stream.on('data', (chunk) => {
      const octets = chunk as Buffer;
      try {
        measure(octets.length);
        if (wanted(path)) chunks.push(octets);
      } catch (error) {
        archive.destroy(error instanceof Error ? error : new Error(String(error)));
      }
    });
    stream.on('end', () => {
      if (header.type === 'file' && wanted(path)) files.set(path, Buffer.concat(chunks));
      next();
    });
  });
  await pipeline(createReadStream(location), createGunzip(), archive);
  return files;
}

function meter(location: string): (octets: number) => void {
  let total = 0;
  return (octets) => {
    total += octets;
    if (total > LIMITS.policyBundle) {
      throw new PolicyLoadError([`${location}: larger than ${LIMITS.policyBundle} octets`]);
    }
  };
}
