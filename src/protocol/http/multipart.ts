/**
 * Owns multipart/form-data (RFC 7578) as far as policy needs it: names of fields, text values, names of files.
 * Must never keep a file's content.
 */

import { LIMITS } from '../../core/limits.ts';

/**
 * `{ name: [value, …] }`; a file's value is `file:<name>`. Null when the body is not well-formed multipart, or has
 * more than LIMITS.multipartParts parts.
 */
export function readMultipart(body: Buffer, boundary: string): Record<string, string[]> | null {
  const fields = new Map<string, string[]>();
  const delimiter = Buffer.from(`--${boundary}`, 'latin1');
  let at = body.indexOf(delimiter);
  if (at !== 0 && !(at > 1 && body.subarray(at - 2, at).equals(CRLF))) return null;
  for (let count = 0; ; count += 1) {
    at += delimiter.length;
    if (body.subarray(at, at + 2).toString('latin1') === '--') return Object.fromEntries(fields);
    if (count >= LIMITS.multipartParts) return null;
    const start = body.indexOf(CRLF, at);
    const next = body.indexOf(Buffer.concat([CRLF, delimiter]), at);
    if (start < 0 || next < 0) return null;
    const part = readPart(body.subarray(start + 2, next + 2));
    if (!part) return null;
    const list = fields.get(part.name);
    if (list) list.push(part.value);
    else fields.set(part.name, [part.value]);
    at = next + 2;
  }
}

const CRLF = Buffer.from('\r\n');

function readPart(octets: Buffer): { name: string; value: string } | null {
  const end = octets.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const head = octets.subarray(0, end).toString('utf8');
  const disposition = /^content-disposition:\s*form-data\s*;(.*)$/im.exec(head)?.[1];
  if (disposition === undefined) return null;
  const name = /(?:^|;)\s*name="((?:[^"\\]|\\.)*)"/i.exec(disposition)?.[1];
  if (name === undefined) return null;
  const file = /(?:^|;)\s*filename\*?=("?)((?:[^"\\;]|\\.)*)\1/i.exec(disposition)?.[2];
  if (file !== undefined) return { name, value: `file:${file}` };
  return { name, value: octets.subarray(end + 4, octets.length - 2).toString('utf8') };
}
