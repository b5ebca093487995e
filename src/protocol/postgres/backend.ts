/** Owns the decoding of the few server messages that are read. Must never decode a row. */

import { BufferReader, decodeText } from './reader.ts';

/** Outside a transaction block, inside one, inside one that has failed. */
export type TransactionStatus = 'I' | 'T' | 'E';

export interface ServerError {
  /** FATAL and PANIC end the session. */
  readonly fatal: boolean;
  readonly sqlstate: string;
  readonly message: string;
}

export function readyStatus(body: Buffer): TransactionStatus | null {
  const letter = body.toString('latin1');
  return letter === 'I' || letter === 'T' || letter === 'E' ? letter : null;
}

export function serverError(body: Buffer): ServerError {
  const fields = new Map<string, string>();
  const reader = new BufferReader(body);
  for (let code = reader.uint8(); code !== 0; code = reader.uint8())
    fields.set(String.fromCharCode(code), reader.terminated().toString('utf8'));
  // V is never translated; servers before 9.6 send only S.
  const severity = fields.get('V') ?? fields.get('S') ?? '';
  const fatal = severity === 'FATAL' || severity === 'PANIC';
  return { fatal, sqlstate: fields.get('C') ?? '', message: fields.get('M') ?? '' };
}

/** `INSERT 0 3`. */
export function commandTag(body: Buffer): string {
  return new BufferReader(body).terminated().toString('latin1');
}

export function parameterStatus(body: Buffer): { name: string; value: string } {
  const reader = new BufferReader(body);
  const [name, value] = [reader.terminated(), reader.terminated()];
  return {
    name: name.toString('latin1').toLowerCase(),
    value: decodeText(value) ?? value.toString('latin1'),
  };
}

export function backendKey(body: Buffer): { pid: number; secret: Buffer } {
  const reader = new BufferReader(body);
  return { pid: reader.int32(), secret: Buffer.from(reader.rest()) };
}

/** Type OIDs of a statement's parameters, as the server worked them out. */
export function parameterTypes(body: Buffer): number[] {
  const reader = new BufferReader(body);
  const count = reader.uint16();
  return Array.from({ length: count }, () => reader.uint32());
}

/** What an Authentication message asks for (PostgreSQL docs, "AuthenticationOk" and those after it). */
export function authenticationStep(body: Buffer): 'ok' | 'continue' | 'unsupported' {
  const code = new BufferReader(body).int32();
  if (code === 0) return 'ok';
  // Cleartext, MD5, SASL, SASLContinue, SASLFinal. The rest (Kerberos, GSS, SSPI) binds to a host name that is not ours.
  return [3, 5, 10, 11, 12].includes(code) ? 'continue' : 'unsupported';
}

/** Newest minor version that the server knows, and the options that it does not. */
export function negotiatedVersion(body: Buffer): { minor: number; unknownOptions: string[] } {
  const reader = new BufferReader(body);
  const minor = reader.int32() & 0xffff;
  const count = reader.uint32();
  const unknownOptions: string[] = [];
  for (let index = 0; index < count; index += 1) unknownOptions.push(reader.terminated().toString('latin1'));
  return { minor, unknownOptions };
}

/** The only column of a row; null where it is NULL, or not the only one. */
export function singleValue(body: Buffer): string | null {
  const reader = new BufferReader(body);
  if (reader.uint16() !== 1) return null;
  const length = reader.int32();
  return length < 0 ? null : decodeText(reader.bytes(length));
}
