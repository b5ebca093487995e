/** A client that speaks protocol 3 message by message, for what no driver would send. Authenticates as `pg` does. */

import type { Socket } from 'node:net';
import pg from 'pg';
import { serialize } from 'pg-protocol';

export const { bind, close, copyData, copyDone, copyFail, describe, execute, flush, parse, query, sync } =
  serialize;

export interface Wire {
  readonly socket: Socket;
  /** One write for all of them. */
  send(...messages: Uint8Array[]): void;
  /** Messages up to and with the `count`th ReadyForQuery, in short: `T`, `D a,b`, `C SELECT 1`, `E 42501`, `Z I`. */
  until(letter?: string, count?: number): Promise<string[]>;
  /** Fields of the last error that was seen. */
  error(): Record<string, string>;
  /** Notices seen so far. */
  readonly notices: string[];
  readonly pid: number;
  closed(): Promise<void>;
  end(): void;
}

type WithInternals = pg.Client & {
  connection: { stream: Socket };
  processID: number;
  secretKey: number;
};

export async function wire(url: string): Promise<Wire & { secret: number }> {
  const client = new pg.Client(url) as WithInternals;
  client.on('error', () => {});
  await client.connect();
  const socket = client.connection.stream;
  socket.removeAllListeners('data');
  socket.removeAllListeners('end');
  let pending = Buffer.alloc(0);
  const messages: string[] = [];
  const notices: string[] = [];
  let lastError: Record<string, string> = {};
  const waiters: (() => void)[] = [];
  let isClosed = false;
  socket.on('close', () => {
    isClosed = true;
    for (const wake of waiters.splice(0)) wake();
  });
  socket.on('end', () => socket.end());
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 5 && pending.length > pending.readInt32BE(1)) {
      const size = pending.readInt32BE(1) + 1;
      const type = String.fromCharCode(pending.readUInt8(0));
      const body = pending.subarray(5, size);
      pending = pending.subarray(size);
      if (type === 'E' || type === 'N') {
        const fields = fieldsOf(body);
        if (type === 'N') notices.push(fields.M ?? '');
        else {
          lastError = fields;
          messages.push(`E ${fields.C}`);
        }
      } else if (type !== 'S' && type !== 'A') messages.push(summary(type, body));
    }
    for (const wake of waiters.splice(0)) wake();
  });
  return {
    socket,
    notices,
    pid: client.processID,
    secret: client.secretKey,
    send(...parts) {
      socket.write(Buffer.concat(parts));
    },
    async until(letter = 'Z', count = 1) {
      for (;;) {
        let left = count;
        const at = messages.findIndex((message) => message.startsWith(letter) && --left === 0);
        if (at >= 0) return messages.splice(0, at + 1);
        if (isClosed) throw new Error(`closed after ${messages.join(' | ')}`);
        await new Promise<void>((resolve) => waiters.push(resolve));
      }
    },
    error: () => lastError,
    async closed() {
      while (!isClosed) await new Promise<void>((resolve) => waiters.push(resolve));
    },
    end() {
      socket.end();
    },
  };
}

function fieldsOf(body: Buffer): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const part of body.toString('utf8').split('\0')) if (part) fields[part.charAt(0)] = part.slice(1);
  return fields;
}

function summary(type: string, body: Buffer): string {
  switch (type) {
    case 'C':
      return `C ${body.toString('utf8', 0, body.length - 1)}`;
    case 'Z':
      return `Z ${body.toString('latin1')}`;
    case 'D': {
      const values: string[] = [];
      for (let at = 2; at < body.length; ) {
        const length = body.readInt32BE(at);
        values.push(length < 0 ? 'NULL' : body.toString('utf8', at + 4, at + 4 + length));
        at += 4 + Math.max(0, length);
      }
      return `D ${values.join(',')}`;
    }
    default:
      return type;
  }
}
