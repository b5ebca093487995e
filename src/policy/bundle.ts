/**
 * Owns a policy as it is put in force: the bundle's module, its data with the overrides laid over, its revision.
 * Refuses what it cannot use whole. Must never evaluate.
 */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { messageOf } from '../core/errors.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import { type BundleFiles, readBundleFiles } from './bundle-files.ts';
import { PolicyLoadError } from './load-error.ts';
import { overlayConfig, prepareData } from './prepare-data.ts';
import type { ReadPaths } from './projection.ts';

export interface PolicySource {
  /** `builtin`, a directory that holds policy.wasm, or a bundle.tar.gz. */
  readonly bundle: string;
  /** A YAML file of knobs laid over `data.config`; null for none. */
  readonly data: string | null;
}

/** Ready to be evaluated. */
export interface PolicyBundle {
  readonly wasm: Uint8Array;
  readonly entrypoint: string;
  /** The whole of Rego's `data`, as JSON text. */
  readonly data: string;
  /** Paths of the input that the policy reads; null where the bundle does not say. */
  readonly reads: ReadPaths | null;
  /** Names the content: module and data. A manifest's own revision, if any, stands before a `+`. */
  readonly revision: string;
}

export const BUILTIN_BUNDLE = fileURLToPath(new URL('../../policies/builtin.tar.gz', import.meta.url));
const ENTRYPOINT = 'holdpoint/decision';

const manifestForm = z.looseObject({
  revision: z.string().default(''),
  wasm: z.array(z.looseObject({ entrypoint: z.string() })).default([]),
  metadata: z
    .looseObject({ holdpoint: z.looseObject({ reads: z.array(z.array(z.string())).optional() }).optional() })
    .default({}),
});

/** @throws PolicyLoadError with everything that is wrong with it. */
export async function loadBundle(source: PolicySource): Promise<PolicyBundle> {
  const location = source.bundle === 'builtin' ? BUILTIN_BUNDLE : source.bundle;
  const files = await readBundleFiles(location);
  const over = source.data === null ? null : await readOverrides(source.data);
  return assemble(location, files, over);
}

function assemble(location: string, files: BundleFiles, over: JsonObject | null): PolicyBundle {
  const wasm = files.get('policy.wasm');
  if (!wasm) throw new PolicyLoadError([withoutModule(location, files)]);
  if (files.has('.signatures.json')) {
    throw new PolicyLoadError([`${location}: is signed, and signatures of bundles cannot be verified here`]);
  }
  const manifest = manifestForm.safeParse(parseFile(location, files, '.manifest') ?? {});
  if (!manifest.success) throw new PolicyLoadError([`${location}: .manifest is malformed`]);
  if (!manifest.data.wasm.some(({ entrypoint }) => entrypoint === ENTRYPOINT)) {
    throw new PolicyLoadError([`${location}: has no entry point ${ENTRYPOINT}`]);
  }
  const data = withConfig(dataOf(location, files), over);
  return {
    wasm,
    entrypoint: ENTRYPOINT,
    data,
    reads: manifest.data.metadata.holdpoint?.reads ?? null,
    revision: revisionOf(manifest.data.revision, wasm, data),
  };
}

function withoutModule(location: string, files: BundleFiles): string {
  const sources = [...files.keys()].some((path) => path.endsWith('.rego'));
  return sources
    ? `${location}: holds Rego sources; compile them first: npm run policy:build -- --source ${location} --out bundle.tar.gz`
    : `${location}: holds no policy.wasm`;
}

function withConfig(data: JsonObject, over: JsonObject | null): string {
  const base = isJsonObject(data.config) ? data.config : {};
  const config = over ? overlayConfig(base, over) : base;
  return JSON.stringify({ ...data, config, prepared: prepareData(config) });
}

/** `a/b/data.json` is `data.a.b`; two files may not say the same thing twice. */
function dataOf(location: string, files: BundleFiles): JsonObject {
  const data: JsonObject = {};
  for (const path of [...files.keys()].sort()) {
    if (!/(?:^|\/)data\.(?:json|ya?ml)$/.test(path)) continue;
    const content = parseFile(location, files, path) ?? {};
    if (!isJsonObject(content)) throw new PolicyLoadError([`${location}: ${path} is not an object`]);
    const place = path.split('/').slice(0, -1);
    const nested = place.reduceRight<JsonObject>((inner, key) => ({ [key]: inner }), content);
    mergeData(data, nested, (key) => new PolicyLoadError([`${location}: ${path} repeats ${key}`]));
  }
  return data;
}

function mergeData(into: JsonObject, from: JsonObject, conflict: (key: string) => Error): void {
  for (const [key, value] of Object.entries(from)) {
    const there = Object.hasOwn(into, key) ? into[key] : undefined;
    if (there === undefined) into[key] = value;
    else if (isJsonObject(there) && isJsonObject(value)) mergeData(there, value, conflict);
    else throw conflict(key);
  }
}

function parseFile(location: string, files: BundleFiles, path: string): unknown {
  const octets = files.get(path);
  if (!octets) return undefined;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(octets);
    return /\.ya?ml$/.test(path) ? parseYaml(text) : JSON.parse(text);
  } catch (error) {
    throw new PolicyLoadError([`${location}: ${path} cannot be parsed`], { cause: error });
  }
}

async function readOverrides(file: string): Promise<JsonObject> {
  let content: unknown;
  try {
    content = parseYaml(await readFile(file, 'utf8')) ?? {};
  } catch (error) {
    const reason = messageOf(error);
    throw new PolicyLoadError([`${file}: ${reason}`], { cause: error });
  }
  if (!isJsonObject(content)) throw new PolicyLoadError([`${file}: is not a set of knobs`]);
  return content;
}

function revisionOf(declared: string, wasm: Uint8Array, data: string): string {
  const digest = createHash('sha256');
  for (const part of [wasm, Buffer.from(data, 'utf8')]) {
    digest.update(`${part.length}:`);
    digest.update(part);
  }
  const content = digest.digest('hex').slice(0, 16);
  return declared === '' ? content : `${declared}+${content}`;
}
