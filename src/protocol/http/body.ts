/**
 * Owns what policy may know of a body: its digest, its text within bounds, and its fields where its media type
 * has any. What cannot be read is unknown (`truncated`), never empty. Must never change what is forwarded.
 */

import { createHash } from 'node:crypto';
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import type { Json } from '../../core/facts.ts';
import { listOf, type RawHeaders, soleValue } from './headers.ts';
import { readJson } from './json.ts';
import { readMultipart } from './multipart.ts';
import { readForm } from './path.ts';

/** What was collected of a body: all of it, or, when it is longer than what is inspected, that there is more. */
export type CollectedBody =
  | { readonly kind: 'whole'; readonly octets: Buffer }
  /** The whole is kept elsewhere. */
  | { readonly kind: 'kept'; readonly size: number; readonly sha256: string }
  /** `size` is the announced Content-Length, or -1. */
  | { readonly kind: 'streamed'; readonly size: number };

export interface BodyReading {
  readonly size: number;
  /** Of the octets as sent, null while they are not all known. */
  readonly sha256: string | null;
  readonly parsed: Json;
  /** True where the content is not, or not all, known. */
  readonly truncated: boolean;
  /** Decoded text for reviewers; null where it is no text or is not known whole. */
  readonly text: string | null;
  readonly ambiguous: boolean;
}

/** @param maxOctets Bound on the octets inspected, before and after decompression. */
export function readBody(body: CollectedBody, headers: RawHeaders, maxOctets: number): BodyReading {
  if (body.kind !== 'whole') {
    const sha256 = body.kind === 'kept' ? body.sha256 : null;
    return { size: body.size, sha256, parsed: null, truncated: true, text: null, ambiguous: false };
  }
  if (body.octets.length === 0) return NOTHING;
  const base = { size: body.octets.length, sha256: sha256Of(body.octets) };
  const plain = decodeContent(body.octets, listOf(headers, 'content-encoding'), maxOctets);
  if (plain === null) return { ...base, parsed: null, truncated: true, text: null, ambiguous: false };
  return { ...base, ...readContent(plain, soleValue(headers, 'content-type')) };
}

export const sha256Of = (octets: Uint8Array): string => createHash('sha256').update(octets).digest('hex');

const NOTHING: BodyReading = {
  size: 0,
  sha256: sha256Of(Buffer.alloc(0)),
  parsed: null,
  truncated: false,
  text: null,
  ambiguous: false,
};

/** Undoes the codings, last one first (RFC 9110 section 8.4). Null for what is unknown, broken or too large. */
function decodeContent(octets: Buffer, codings: readonly string[], maxOctets: number): Buffer | null {
  const options = { maxOutputLength: maxOctets };
  let plain = octets;
  try {
    for (const coding of codings.toReversed()) {
      if (coding === 'gzip' || coding === 'x-gzip') plain = gunzipSync(plain, options);
      else if (coding === 'deflate') plain = inflate(plain, options);
      else if (coding === 'br') plain = brotliDecompressSync(plain, options);
      // AWS frames its payload in signed chunks under this name: not a compression, and not read here.
      else if (coding !== 'identity') return null;
    }
  } catch {
    return null;
  }
  return plain.length <= maxOctets ? plain : null;
}

/** Some senders of `deflate` leave out the zlib wrapper; readers take both. */
function inflate(octets: Buffer, options: { maxOutputLength: number }): Buffer {
  const zlibWrapped =
    octets.length > 1 && octets.readUInt16BE(0) % 31 === 0 && ((octets[0] ?? 0) & 0x0f) === 8;
  return zlibWrapped ? inflateSync(octets, options) : inflateRawSync(octets, options);
}

type Content = Pick<BodyReading, 'parsed' | 'truncated' | 'text' | 'ambiguous'>;

const unknown = (text: string | null): Content => ({ parsed: null, truncated: true, text, ambiguous: false });

function readContent(plain: Buffer, contentType: string | null): Content {
  const { media, charset, boundary } = readMediaType(contentType);
  if (media === 'multipart/form-data') {
    const fields = boundary === null ? null : readMultipart(plain, boundary);
    return fields
      ? { parsed: fields, truncated: false, text: textOf(plain), ambiguous: false }
      : unknown(null);
  }
  const text = /^(?:utf-?8|us-ascii|iso-8859-1)?$/.test(charset) ? textOf(plain) : null;
  const isJson = /^application\/(?:json|x-amz-json-1\.[01]|x-ndjson)$|\+json$/.test(media);
  if (isJson) {
    const json = text === null ? null : readJson(text);
    return json
      ? { parsed: json.value, truncated: false, text, ambiguous: json.duplicateKeys }
      : unknown(text);
  }
  if (media === 'application/x-www-form-urlencoded') {
    if (text === null) return unknown(null);
    const form = readForm(text);
    return { parsed: form.values, truncated: false, text, ambiguous: form.ambiguous };
  }
  // Many servers read JSON whatever the label says; so does policy.
  const sniffed = text !== null && /^\s*[[{]/.test(text) ? readJson(text) : null;
  return {
    parsed: sniffed?.value ?? null,
    truncated: false,
    text,
    ambiguous: sniffed?.duplicateKeys ?? false,
  };
}

function readMediaType(value: string | null): { media: string; charset: string; boundary: string | null } {
  const [media = '', ...parameters] = (value ?? '').split(';');
  const parameter = (name: string): string | null => {
    for (const text of parameters) {
      const match = /^\s*([^=\s]+)=(?:"([^"]*)"|([^\s"]*))\s*$/.exec(text);
      if (match?.[1]?.toLowerCase() === name) return match[2] ?? match[3] ?? '';
    }
    return null;
  };
  return {
    media: media.trim().toLowerCase(),
    charset: (parameter('charset') ?? '').toLowerCase(),
    boundary: parameter('boundary') || null,
  };
}

/** Strict UTF-8 (a byte-order mark stays), or null. */
function textOf(octets: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    return null;
  }
}
