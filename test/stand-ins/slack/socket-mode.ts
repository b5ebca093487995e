/**
 * Owns the server side of Socket Mode: single-use addresses, hello, envelopes to one connection at random, acknowledgement
 * within three seconds, and the ends of a connection. Must never know what an envelope carries.
 */

import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { JsonObject } from './json.ts';

/** Milliseconds in which Slack wants to be answered. */
export const ACK_WITHIN = 3_000;

export interface SocketMode {
  /** A fresh address under `base` (`ws://…`), good for one connection within 30 s. */
  open(base: string): string;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Resolves to the acknowledgement's payload; rejects without connection or acknowledgement. */
  deliver(type: string, payload: JsonObject): Promise<unknown>;
  /** Sends raw text to every connection. */
  sendRaw(text: string): void;
  /** Asks every connection to go, as Slack does when it moves them to another host. */
  disconnect(reason: 'warning' | 'refresh_requested' | 'link_disabled'): void;
  /** Cuts every connection without a word. */
  drop(): void;
  readonly connections: number;
  /** Accepts connections from now on without ever saying hello. */
  silent: boolean;
  onConnection(listener: () => void): void;
  close(): void;
}

export function createSocketMode(app: string, fault: (what: string) => void): SocketMode {
  const server = new WebSocketServer({ noServer: true, maxPayload: 1024 * 1024 });
  const tickets = new Map<string, number>();
  const waiting = new Map<string, { resolve: (payload: unknown) => void; socket: WebSocket }>();
  const live = new Set<WebSocket>();
  const listeners: (() => void)[] = [];
  let silent = false;

  function greet(socket: WebSocket): void {
    live.add(socket);
    const pings = setInterval(() => socket.ping(), 5_000).unref();
    socket.on('close', () => {
      clearInterval(pings);
      live.delete(socket);
    });
    socket.on('error', () => socket.terminate());
    socket.on('message', (data) => acknowledged(socket, String(data)));
    if (silent) return;
    send(socket, {
      type: 'hello',
      num_connections: live.size,
      debug_info: { host: 'applink-stand-in', build_number: 1, approximate_connection_time: 18_060 },
      connection_info: { app_id: app },
    });
    for (const listener of listeners) listener();
  }

  function acknowledged(socket: WebSocket, text: string): void {
    let message: { envelope_id?: unknown; payload?: unknown };
    try {
      message = JSON.parse(text);
    } catch {
      fault('a Socket Mode message was not JSON');
      return;
    }
    const envelope = waiting.get(String(message.envelope_id));
    if (!envelope) {
      fault('an unknown or late envelope was acknowledged');
      return;
    }
    if (envelope.socket !== socket) {
      fault('an envelope was acknowledged on another connection');
      return;
    }
    waiting.delete(String(message.envelope_id));
    envelope.resolve(message.payload);
  }

  function send(socket: WebSocket, value: JsonObject): void {
    socket.send(JSON.stringify(value));
  }

  return {
    open(base) {
      const ticket = randomUUID();
      tickets.set(ticket, Date.now() + 30_000);
      return `${base}/link/?ticket=${ticket}&app_id=${app}`;
    },

    upgrade(request, socket, head) {
      const ticket = new URL(request.url ?? '', 'http://slack').searchParams.get('ticket') ?? '';
      const good = (tickets.get(ticket) ?? 0) >= Date.now();
      tickets.delete(ticket);
      if (!good) {
        fault('a Socket Mode address was used twice, late, or made up');
        socket.end('HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\r\n');
        return;
      }
      server.handleUpgrade(request, socket, head, greet);
    },

    deliver(type, payload) {
      const open = [...live].filter((socket) => socket.readyState === socket.OPEN);
      const socket = open[Math.floor(Math.random() * open.length)];
      if (!socket) return Promise.reject(new Error('no Socket Mode connection'));
      const id = randomUUID();
      return new Promise((resolve, reject) => {
        const late = setTimeout(() => {
          waiting.delete(id);
          fault('an envelope was not acknowledged within 3 s');
          reject(new Error('not acknowledged within 3 s'));
        }, ACK_WITHIN);
        const settle = (answer: unknown) => {
          clearTimeout(late);
          resolve(answer);
        };
        waiting.set(id, { resolve: settle, socket });
        send(socket, { envelope_id: id, type, accepts_response_payload: false, payload });
      });
    },

    sendRaw(text) {
      for (const socket of live) socket.send(text);
    },

    disconnect(reason) {
      for (const socket of live)
        send(socket, { type: 'disconnect', reason, debug_info: { host: 'applink' } });
    },

    drop() {
      for (const socket of live) socket.terminate();
    },

    get connections() {
      return live.size;
    },
    get silent() {
      return silent;
    },
    set silent(on) {
      silent = on;
    },

    onConnection(listener) {
      listeners.push(listener);
    },

    close() {
      for (const socket of live) socket.terminate();
      server.close();
    },
  };
}
