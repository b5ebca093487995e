/**
 * Owns what comes before the first typed message: SSLRequest, GSSENCRequest, CancelRequest, StartupMessage, and which
 * session settings an agent may bring (an allow-list). Must never know the session that follows.
 */

import { ProtocolError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { BufferReader } from './reader.ts';

export type StartupPacket =
  /** `tls`: a TLS handshake with no SSLRequest before it. */
  | { readonly kind: 'ssl' | 'gss' | 'tls' }
  | { readonly kind: 'cancel'; readonly pid: number; readonly secret: Buffer }
  | {
      readonly kind: 'startup';
      readonly minor: number;
      readonly parameters: ReadonlyMap<string, string>;
    };

/** A startup message that may go on to the server. */
export interface AdmittedStartup {
  readonly user: string;
  readonly database: string;
  readonly applicationName: string;
  /** What the server is sent. */
  readonly packet: Buffer;
  readonly minor: number;
  /** `_pq_.` options asked for. None is known here, so none goes on and the client is told so. */
  readonly unknownOptions: readonly string[];
  /** The client asked for a newer minor version than is known here. */
  readonly newerMinor: boolean;
}

const CANCEL = 80_877_102;
const SSL = 80_877_103;
const GSS = 80_877_104;
const TLS_HANDSHAKE = 0x16;
/** Newest minor version of protocol 3 that is understood here (PostgreSQL 18). */
const NEWEST_MINOR = 2;

/** Lower-case names of the settings that cannot change what a statement means. */
const ALLOWED = new Set([
  'user',
  'database',
  'application_name',
  'client_encoding',
  'datestyle',
  'intervalstyle',
  'timezone',
  'extra_float_digits',
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
]);
const UTF8 = /^'?utf-?8'?$|^'?unicode'?$/i;
/** SQL_ASCII is what psql asks for in the C locale; it means no conversion, so UTF8 gives it nothing less. */
const UNCONVERTED = /^'?sql_ascii'?$/i;

/** Collects one packet. Give it what it left over in `rest` again for the next one. */
export class StartupFramer {
  #kept: Buffer = Buffer.alloc(0);

  /** @throws ProtocolError on a length that cannot be, or is over the bound. */
  push(chunk: Buffer): { packet: StartupPacket; rest: Buffer } | null {
    const octets = this.#kept.length > 0 ? Buffer.concat([this.#kept, chunk]) : chunk;
    if (octets[0] === TLS_HANDSHAKE) return { packet: { kind: 'tls' }, rest: octets };
    this.#kept = octets;
    if (octets.length < 4) return null;
    const length = octets.readInt32BE(0);
    if (length < 8 || length > LIMITS.pgStartupPacket)
      throw new ProtocolError('protocol_violation', 'invalid length of startup packet');
    if (octets.length < length) return null;
    this.#kept = Buffer.alloc(0);
    return { packet: decode(octets.subarray(4, length)), rest: octets.subarray(length) };
  }
}

function decode(body: Buffer): StartupPacket {
  const reader = new BufferReader(body);
  const code = reader.int32();
  if (code === SSL || code === GSS) {
    reader.end();
    return { kind: code === SSL ? 'ssl' : 'gss' };
  }
  if (code === CANCEL) {
    const pid = reader.int32();
    const secret = reader.rest();
    // Protocol 3.2: 4 to 256 octets.
    if (secret.length < 4 || secret.length > 256)
      throw new ProtocolError('protocol_violation', 'invalid length of cancel key');
    return { kind: 'cancel', pid, secret };
  }
  const major = code >>> 16;
  const minor = code & 0xffff;
  if (major !== 3)
    throw new ProtocolError(
      'protocol_unsupported',
      `unsupported frontend protocol ${major}.${minor}: only 3 is carried`,
    );
  const parameters = new Map<string, string>();
  for (;;) {
    const name = reader.text();
    if (name === '') break;
    if (parameters.has(name))
      throw new ProtocolError('protocol_violation', `the startup packet sets "${name}" twice`);
    parameters.set(name, reader.text());
  }
  reader.end();
  return { kind: 'startup', minor, parameters };
}

/** @throws ProtocolError `startup_refused` on a setting that is not allowed. */
export function admitStartup(packet: Extract<StartupPacket, { kind: 'startup' }>): AdmittedStartup {
  const unknownOptions: string[] = [];
  const forwarded: [string, string][] = [];
  let encoding = false;
  for (const [name, value] of packet.parameters) {
    const lower = name.toLowerCase();
    if (name.startsWith('_pq_.')) unknownOptions.push(name);
    else if (lower === 'client_encoding') {
      if (!UTF8.test(value) && !UNCONVERTED.test(value))
        throw refused(`client_encoding must be UTF8, not ${value}`);
      forwarded.push([name, UTF8.test(value) ? value : 'UTF8']);
      encoding = true;
    } else if (lower === 'options') {
      if (value.trim() !== '')
        throw refused(
          '"options" is not carried: it could change how statements are read (PGOPTIONS sets it)',
        );
    } else if (lower === 'replication') {
      if (!/^(?:false|off|no|0)$/i.test(value)) throw refused('replication connections are not carried');
    } else if (ALLOWED.has(lower)) forwarded.push([name, value]);
    else throw refused(`the session setting "${name}" is not carried`);
  }
  const user = packet.parameters.get('user') ?? '';
  if (user === '')
    throw new ProtocolError('startup_refused', 'no PostgreSQL user name specified in startup packet');
  // Without it the session would take the database's own encoding, which need not be one that can be read here.
  if (!encoding) forwarded.push(['client_encoding', 'UTF8']);
  const minor = Math.min(packet.minor, NEWEST_MINOR);
  return {
    user,
    database: packet.parameters.get('database') || user,
    applicationName: packet.parameters.get('application_name') ?? '',
    packet: encodeStartup(minor, forwarded),
    minor,
    unknownOptions,
    newerMinor: packet.minor > NEWEST_MINOR,
  };
}

function refused(reason: string): ProtocolError {
  return new ProtocolError('startup_refused', reason);
}

function encodeStartup(minor: number, parameters: readonly (readonly [string, string])[]): Buffer {
  const text = `${parameters.map(([name, value]) => `${name}\0${value}\0`).join('')}\0`;
  const packet = Buffer.alloc(8 + Buffer.byteLength(text));
  packet.writeInt32BE(packet.length, 0);
  packet.writeInt32BE((3 << 16) | minor, 4);
  packet.write(text, 8);
  return packet;
}
