/**
 * Raw octets to a port and what comes back, for requests that no client library would send.
 */

import { connect, type Socket } from 'node:net';

/** Sends, and resolves with everything received until the other side closes or `until` is seen. */
export function converse(port: number, octets: string | Buffer, until?: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    let seen = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      seen += chunk;
      if (until?.test(seen)) socket.end();
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(seen));
    socket.write(octets);
  });
}

/** An open connection; `expect` resolves with what has come once it matches. */
export interface Wire {
  readonly socket: Socket;
  send(octets: string | Buffer): void;
  expect(pattern: RegExp): Promise<string>;
  closed(): Promise<string>;
}

export function open(port: number): Wire {
  const socket = connect({ host: '127.0.0.1', port });
  return wire(socket);
}

export function wire(socket: Socket): Wire {
  let seen = '';
  let ended = false;
  const watchers = new Set<() => void>();
  const wake = () => {
    for (const watcher of watchers) watcher();
  };
  socket.on('data', (chunk: Buffer) => {
    seen += chunk.toString('latin1');
    wake();
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    ended = true;
    wake();
  });
  const until = (done: () => string | null): Promise<string> =>
    new Promise((resolve, reject) => {
      const check = () => {
        const result = done();
        if (result !== null) {
          watchers.delete(check);
          resolve(result);
        } else if (ended) {
          watchers.delete(check);
          reject(new Error(`the connection closed after: ${seen}`));
        }
      };
      watchers.add(check);
      check();
    });
  return {
    socket,
    send: (octets) => void socket.write(octets),
    expect: (pattern) => until(() => (pattern.test(seen) ? seen : null)),
    closed: () => until(() => (ended ? seen : null)),
  };
}
