/**
 * Owns the decoding of a client's messages, strictly: what PostgreSQL itself would refuse as malformed never gets
 * past here. Must never judge a message, nor know the session it belongs to.
 */

import { ProtocolError } from '../../core/errors.ts';
import { bodyOf, type Frame } from './framer.ts';
import { FRONTEND, typeName } from './messages.ts';
import { BufferReader, decodeText } from './reader.ts';

/** SQL text as sent. `valid` false: it is not UTF-8, and `text` is only for people to look at. */
export interface SqlText {
  readonly text: string;
  readonly valid: boolean;
}

export interface BoundValue {
  /** Null is SQL NULL. */
  readonly octets: Buffer | null;
  readonly binary: boolean;
}

export interface Query extends SqlText {
  readonly kind: 'query';
}

export interface Parse extends SqlText {
  readonly kind: 'parse';
  readonly name: string;
  /** Type OIDs; 0, or absent at the end, is for the server to work out. */
  readonly types: readonly number[];
}

export interface Bind {
  readonly kind: 'bind';
  readonly portal: string;
  readonly statement: string;
  readonly values: readonly BoundValue[];
}

export interface Execute {
  readonly kind: 'execute';
  readonly portal: string;
  /** 0: all rows. */
  readonly maxRows: number;
}

export interface Named {
  readonly kind: 'describe' | 'close';
  readonly of: 'statement' | 'portal';
  readonly name: string;
}

export interface FunctionCall {
  readonly kind: 'function';
  readonly oid: number;
  readonly values: readonly BoundValue[];
}

export type FrontendMessage =
  | Query
  | Parse
  | Bind
  | Execute
  | Named
  | FunctionCall
  | { readonly kind: 'sync' | 'flush' };

/** @throws ProtocolError when it is malformed, or not one of these. */
export function decodeFrontend(frame: Frame): FrontendMessage {
  const reader = new BufferReader(bodyOf(frame));
  const message = decode(frame.type, reader);
  reader.end();
  return message;
}

function decode(type: number, reader: BufferReader): FrontendMessage {
  switch (type) {
    case FRONTEND.query:
      return { kind: 'query', ...sqlText(reader.rest()) };
    case FRONTEND.parse:
      return parse(reader);
    case FRONTEND.bind:
      return bind(reader);
    case FRONTEND.execute:
      return { kind: 'execute', portal: reader.name(), maxRows: Math.max(0, reader.int32()) };
    case FRONTEND.describe:
      return { kind: 'describe', ...named(reader) };
    case FRONTEND.close:
      return { kind: 'close', ...named(reader) };
    case FRONTEND.functionCall:
      return functionCall(reader);
    case FRONTEND.sync:
      return { kind: 'sync' };
    case FRONTEND.flush:
      return { kind: 'flush' };
    default:
      throw new ProtocolError('protocol_violation', `a message of type ${typeName(type)} is out of place`);
  }
}

/** A Query's whole body. NULs before the last octet stay in the text, for the analyser to refuse. */
function sqlText(body: Buffer): SqlText {
  if (body.at(-1) !== 0) throw new ProtocolError('protocol_violation', 'a statement has no terminator');
  return readSql(body.subarray(0, -1));
}

function readSql(octets: Buffer): SqlText {
  const text = decodeText(octets);
  return text === null ? { text: octets.toString('utf8'), valid: false } : { text, valid: true };
}

function parse(reader: BufferReader): Parse {
  const name = reader.name();
  const sql = readSql(reader.terminated());
  const types = times(reader.uint16(), () => reader.uint32());
  return { kind: 'parse', name, ...sql, types };
}

function bind(reader: BufferReader): Bind {
  const portal = reader.name();
  const statement = reader.name();
  const values = boundValues(reader);
  times(reader.uint16(), () => format(reader));
  return { kind: 'bind', portal, statement, values };
}

function functionCall(reader: BufferReader): FunctionCall {
  const oid = reader.uint32();
  const values = boundValues(reader);
  format(reader);
  return { kind: 'function', oid, values };
}

/** Formats (none: text; one: for all; else one each), then values. */
function boundValues(reader: BufferReader): BoundValue[] {
  const formats = times(reader.uint16(), () => format(reader));
  const count = reader.uint16();
  if (formats.length > 1 && formats.length !== count)
    throw new ProtocolError('protocol_violation', `${formats.length} formats for ${count} parameters`);
  return times(count, (index) => {
    const length = reader.int32();
    const binary = (formats.length === 1 ? formats[0] : formats[index]) ?? false;
    return { octets: length === -1 ? null : reader.bytes(length), binary };
  });
}

function format(reader: BufferReader): boolean {
  const code = reader.uint16();
  if (code > 1) throw new ProtocolError('protocol_violation', `unsupported format code ${code}`);
  return code === 1;
}

function named(reader: BufferReader): { of: 'statement' | 'portal'; name: string } {
  const letter = String.fromCharCode(reader.uint8());
  if (letter !== 'S' && letter !== 'P')
    throw new ProtocolError('protocol_violation', `Describe or Close of neither a statement nor a portal`);
  return { of: letter === 'S' ? 'statement' : 'portal', name: reader.name() };
}

function times<Value>(count: number, read: (index: number) => Value): Value[] {
  const values: Value[] = [];
  for (let index = 0; index < count; index += 1) values.push(read(index));
  return values;
}
