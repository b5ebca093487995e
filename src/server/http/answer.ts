/**
 * Owns answers that Holdpoint itself gives: a problem document on a response, or on a bare socket. Must never
 * cut a client off before it can read why.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { LIMITS } from '../../core/limits.ts';
import type { Clock } from '../../core/ports.ts';
import type { Refusal } from '../../core/refusal.ts';
import { type ProblemOptions, problemResponse } from '../../protocol/http/refusal.ts';

export interface RefuseOptions extends ProblemOptions {
  readonly clock: Clock;
  /** The client will not send its body unasked. */
  readonly waitsForContinue: boolean;
  readonly close: boolean;
}

/**
 * Refuses one request. Where its body is still under way, the connection ends after the answer; the body is read
 * and thrown away for a while first, since closing with unread octets resets the connection and loses the answer
 * (RFC 9112 section 9.6).
 */
export function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  refusal: Refusal,
  options: RefuseOptions,
): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const problem = problemResponse(refusal, options);
  const unread = !request.complete;
  const headers = [...problem.headers, ...(unread || options.close ? ['Connection', 'close'] : [])];
  response.sendDate = false;
  response.writeHead(problem.status, headers);
  const body = request.method === 'HEAD' ? undefined : problem.body;
  if (!unread || options.waitsForContinue) {
    response.end(body);
    return;
  }
  // The length is announced: the client has the whole answer now, whenever the connection ends.
  if (body) response.write(body);
  else response.flushHeaders();
  const finish = () => {
    cancel();
    response.end();
  };
  const cancel = options.clock.after(LIMITS.httpLinger, finish);
  request.once('end', finish);
  request.once('close', finish);
  request.resume();
}

/** Refuses on a socket that has no response object (CONNECT, requests that do not parse), and ends it. */
export function refuseOnSocket(socket: Duplex, refusal: Refusal, options: ProblemOptions = {}): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { status, headers, body } = problemResponse(refusal, options);
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}`];
  for (let index = 0; index < headers.length; index += 2)
    lines.push(`${headers[index]}: ${headers[index + 1]}`);
  socket.end(
    Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`, 'latin1'), body]),
  );
}
