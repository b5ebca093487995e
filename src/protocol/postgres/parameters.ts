/**
 * Owns turning bound values into text for policy and reviewers: text as it is, common binary types rendered, others as
 * hex. Must never stand for the octets themselves: digests cover those.
 */

import type { ParameterFacts } from '../../core/facts.ts';
import { LIMITS } from '../../core/limits.ts';
import type { BoundValue } from './frontend.ts';
import { decodeText } from './reader.ts';

/** Names of the built-in types (pg_type.dat) that agents bind; an array type is its element's with `[]`. */
const TYPES: Readonly<Record<number, string>> = {
  16: 'bool',
  17: 'bytea',
  18: 'char',
  19: 'name',
  20: 'int8',
  21: 'int2',
  23: 'int4',
  25: 'text',
  26: 'oid',
  114: 'json',
  142: 'xml',
  600: 'point',
  650: 'cidr',
  700: 'float4',
  701: 'float8',
  790: 'money',
  829: 'macaddr',
  869: 'inet',
  1000: 'bool[]',
  1005: 'int2[]',
  1007: 'int4[]',
  1009: 'text[]',
  1015: 'varchar[]',
  1016: 'int8[]',
  1021: 'float4[]',
  1022: 'float8[]',
  1042: 'bpchar',
  1043: 'varchar',
  1082: 'date',
  1083: 'time',
  1114: 'timestamp',
  1115: 'timestamp[]',
  1184: 'timestamptz',
  1185: 'timestamptz[]',
  1186: 'interval',
  1231: 'numeric[]',
  1266: 'timetz',
  1700: 'numeric',
  2950: 'uuid',
  2951: 'uuid[]',
  3802: 'jsonb',
  3807: 'jsonb[]',
};

/** Its name, `oid 12345` for one that is not built in, `unknown` where the server is to work it out. */
export function typeNameOf(oid: number): string {
  return oid === 0 ? 'unknown' : (TYPES[oid] ?? `oid ${oid}`);
}

export interface ParameterList {
  readonly facts: ParameterFacts[];
  /** Some value was longer than is shown. */
  readonly truncated: boolean;
}

export function parameterFacts(values: readonly BoundValue[], types: readonly number[]): ParameterList {
  let budget: number = LIMITS.pgParametersText;
  let truncated = false;
  const facts = values.map(({ octets, binary }, index): ParameterFacts => {
    const oid = types[index] ?? 0;
    const room = Math.min(budget, LIMITS.pgParameterText);
    const whole = octets === null ? null : valueText(octets, binary, oid, room);
    const value = whole === null || whole.length <= room ? whole : whole.slice(0, room);
    if (octets !== null && (value !== whole || octets.length > longest(room))) truncated = true;
    budget -= value?.length ?? 0;
    return { value, type: typeNameOf(oid), format: binary ? 'binary' : 'text' };
  });
  return { facts, truncated };
}

/** Octets beyond which a value cannot fit in `room` characters: UTF-8 has at most four octets to one. */
const longest = (room: number): number => 4 * room;

function valueText(octets: Buffer, binary: boolean, oid: number, room: number): string {
  // One octet over, so that what is left out is noticed.
  const part = octets.subarray(0, longest(room) + 1);
  if (binary) return binaryText(part, oid) ?? hex(part.subarray(0, room + 1));
  // A cut inside a character is no encoding error of the client's.
  return decodeText(part) ?? (part.length < octets.length ? part.toString('utf8') : hex(part));
}

function hex(octets: Buffer): string {
  return `\\x${octets.toString('hex')}`;
}

const POSTGRES_EPOCH = Date.UTC(2000, 0, 1);
const DAY = 86_400_000;

/** Text form of the binary form of common types; null for others, and for values that do not have the type's form. */
function binaryText(octets: Buffer, oid: number): string | null {
  const length = octets.length;
  switch (TYPES[oid]) {
    case 'bool':
      return length === 1 ? (octets[0] === 0 ? 'false' : 'true') : null;
    case 'int2':
      return length === 2 ? String(octets.readInt16BE(0)) : null;
    case 'int4':
      return length === 4 ? String(octets.readInt32BE(0)) : null;
    case 'oid':
      return length === 4 ? String(octets.readUInt32BE(0)) : null;
    case 'int8':
      return length === 8 ? String(octets.readBigInt64BE(0)) : null;
    case 'float4':
      return length === 4 ? String(octets.readFloatBE(0)) : null;
    case 'float8':
      return length === 8 ? String(octets.readDoubleBE(0)) : null;
    case 'text':
    case 'varchar':
    case 'bpchar':
    case 'name':
    case 'json':
    case 'xml':
      return decodeText(octets);
    case 'jsonb':
      return octets[0] === 1 ? decodeText(octets.subarray(1)) : null;
    case 'uuid':
      return length === 16
        ? octets.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
        : null;
    case 'date':
      return length === 4 ? (isoTime(octets.readInt32BE(0) * DAY)?.slice(0, 10) ?? null) : null;
    case 'timestamp':
    case 'timestamptz':
      return length === 8 ? isoTime(Number(octets.readBigInt64BE(0) / 1000n)) : null;
    default:
      return null;
  }
}

/** RFC 3339 of milliseconds since 2000; null for infinity and for what a Date cannot hold. */
function isoTime(milliseconds: number): string | null {
  const date = new Date(POSTGRES_EPOCH + milliseconds);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
