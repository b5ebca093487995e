/**
 * Owns the octets of what Holdpoint says itself: to the client errors, notices and the cancel key, to the server a
 * statement that is sure to fail. Must never carry SQL of its own but one SHOW.
 */

import { serialize } from 'pg-protocol';
import { BACKEND } from './messages.ts';

/** Fields of an ErrorResponse or NoticeResponse (PostgreSQL docs, "Error and Notice Message Fields"). */
export interface Report {
  readonly severity: 'ERROR' | 'FATAL' | 'NOTICE';
  readonly sqlstate: string;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
}

export function errorResponse(report: Report): Buffer {
  return reportMessage(BACKEND.error, report);
}

export function noticeResponse(report: Report): Buffer {
  return reportMessage(BACKEND.notice, report);
}

function reportMessage(type: number, report: Report): Buffer {
  const fields: (readonly [string, string | undefined])[] = [
    ['S', report.severity],
    ['V', report.severity],
    ['C', report.sqlstate],
    ['M', report.message],
    ['D', report.detail],
    ['H', report.hint],
  ];
  const text = fields.map(([code, value]) => (value ? `${code}${withoutNul(value)}\0` : '')).join('');
  return message(type, Buffer.from(`${text}\0`));
}

export function backendKeyData(pid: number, secret: Uint8Array): Buffer {
  const body = Buffer.alloc(4 + secret.length);
  body.writeInt32BE(pid, 0);
  body.set(secret, 4);
  return message(BACKEND.backendKeyData, body);
}

export function negotiateProtocolVersion(minor: number, unknownOptions: readonly string[]): Buffer {
  const names = Buffer.from(unknownOptions.map((name) => `${name}\0`).join(''));
  const head = Buffer.alloc(8);
  head.writeInt32BE((3 << 16) | minor, 0);
  head.writeInt32BE(unknownOptions.length, 4);
  return message(BACKEND.negotiateVersion, Buffer.concat([head, names]));
}

/**
 * A message that fails on the server, which then does the rest itself: skips to Sync, aborts the transaction, tells its
 * status. `word` is the first word of a statement that has no other, so that the server's syntax error repeats it
 * whatever its language. A Parse is given a name, which it never gets, so that the unnamed statement survives.
 */
export function failingStatement(kind: 'query' | 'parse', word: string, remark: string): Buffer {
  const text = `${word} /* ${remark.replace(/[^\w .:-]/g, ' ')} */`;
  return kind === 'query' ? serialize.query(text) : serialize.parse({ name: word, text });
}

/** The one statement that a session asks for itself, where the server does not report the setting (before 18). */
export function searchPathQuestion(): Buffer {
  return serialize.query('SHOW search_path');
}

export function flushMessage(): Buffer {
  return serialize.flush();
}

export function terminateMessage(): Buffer {
  return serialize.end();
}

/** pg-protocol knows only keys of four octets; protocol 3.2 has up to 256. */
export function cancelRequest(pid: number, secret: Uint8Array): Buffer {
  const packet = Buffer.alloc(12 + secret.length);
  packet.writeInt32BE(packet.length, 0);
  packet.writeInt32BE(80_877_102, 4);
  packet.writeInt32BE(pid, 8);
  packet.set(secret, 12);
  return packet;
}

function message(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(type, 0);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

function withoutNul(text: string): string {
  return text.replaceAll('\0', ' ');
}
