/**
 * Owns the way back: an upstream's response on to the client's, as it arrives, with back-pressure, trailers and
 * an honest end where it breaks off. Must never hold a response back.
 */

import type { ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import type { Outcome } from '../../core/admission.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { type Refusal, refusal } from '../../core/refusal.ts';
import { endToEnd, fieldsOf } from '../../protocol/http/headers.ts';

export interface Relayed {
  readonly status: Outcome['status'];
  /** Null when there was no response. */
  readonly httpStatus: number | null;
  readonly responseBytes: number;
  /** What to tell the client, where nothing has been told yet. */
  readonly refusal: Refusal | null;
}

const NOTHING = Buffer.alloc(0);

/**
 * Relays one response. Never answers the client where there was none: that is `refusal`.
 * @param signal Aborts when the client is gone. @param send Sends the request; what it throws, this rejects with.
 */
export function relayTo(
  response: ServerResponse,
  signal: AbortSignal,
  send: (handler: Dispatcher.DispatchHandler) => void,
): Promise<Relayed> {
  return new Promise((resolve) => send(relayHandler(response, signal, resolve)));
}

function relayHandler(
  response: ServerResponse,
  signal: AbortSignal,
  done: (result: Relayed) => void,
): Dispatcher.DispatchHandler {
  let controller: Dispatcher.DispatchController | null = null;
  let httpStatus: number | null = null;
  let responseBytes = 0;
  let finished = false;

  const onAbort = () => controller?.abort(new Error('the client went away'));
  const onDrain = () => controller?.resume();
  const finish = (status: Outcome['status'], answer: Refusal | null = null) => {
    if (finished) return;
    finished = true;
    signal.removeEventListener('abort', onAbort);
    response.off('drain', onDrain);
    done({ status, httpStatus, responseBytes, refusal: answer });
  };

  return {
    onRequestStart(started) {
      controller = started;
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
      response.on('drain', onDrain);
    },
    onResponseStart(_controller, status, _headers, reason) {
      // RFC 9110 section 15.2: informational responses pass; 100 is answered on this side, 101 is not asked for.
      if (status < 200) {
        if (status === 102) response.writeProcessing();
        return;
      }
      httpStatus = status;
      response.sendDate = false;
      response.writeHead(status, reason ?? '', responseHeaders(_controller, status, response));
      // The head goes now, whenever the body comes, and with what of the body is here already: node corks until the
      // next tick. Not flushHeaders, which would write octets above ASCII as UTF-8.
      response.write(NOTHING);
    },
    onResponseData(_controller, chunk) {
      responseBytes += chunk.length;
      if (!response.write(chunk)) _controller.pause();
    },
    onResponseEnd(_controller) {
      const trailers = flat(_controller.rawTrailers);
      if (trailers.length > 0 && response.chunkedEncoding) response.addTrailers(pairs(endToEnd(trailers)));
      response.end();
      finish('completed');
    },
    onResponseError(_controller, error) {
      if (signal.aborted || response.destroyed) {
        response.destroy();
        finish('aborted');
      } else if (response.headersSent) {
        // Cut short: the client must not take what it has for the whole.
        response.destroy();
        finish('failed');
      } else {
        finish('failed', upstreamRefusal(error));
      }
    },
  };
}

function responseHeaders(
  controller: Dispatcher.DispatchController,
  status: number,
  response: ServerResponse,
): string[] {
  const raw = flat(controller.rawHeaders);
  const names = new Set([...fieldsOf(raw)].map(([name]) => name));
  const chunked =
    !names.has('content-length') &&
    status !== 204 &&
    status !== 304 &&
    response.req.method !== 'HEAD' &&
    response.req.httpVersionMinor > 0;
  // Trailer announces what only a chunked message can carry.
  return endToEnd(raw, chunked ? [] : ['trailer']);
}

/** undici gives names and values as octets, in one list. */
function flat(raw: Dispatcher.DispatchController['rawHeaders']): string[] {
  return Array.isArray(raw)
    ? raw.map((octets) => (typeof octets === 'string' ? octets : octets.toString('latin1')))
    : [];
}

function pairs(list: readonly string[]): [string, string][] {
  const result: [string, string][] = [];
  for (let index = 0; index + 1 < list.length; index += 2)
    result.push([list[index] ?? '', list[index + 1] ?? '']);
  return result;
}

/** Before a connection stood, nothing ran; after, nobody can say. */
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]);

export function upstreamRefusal(error: Error): Refusal {
  const { code = '' } = error as NodeJS.ErrnoException;
  const [kind, detail] = reading(error, code);
  return refusal(kind, code === '' ? detail : `${detail} (${code})`);
}

function reading(error: Error, code: string): [ErrorCode, string] {
  if (UNREACHABLE.has(code)) return ['upstream_unreachable', 'no connection to the upstream'];
  // Several addresses were tried: node gathers the failures.
  if (error instanceof AggregateError)
    return ['upstream_unreachable', 'no connection to any address of the upstream'];
  if (/^(?:ERR_TLS|ERR_SSL|CERT_|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_MISMATCH|EPROTO)/.test(code)) {
    return ['upstream_tls', 'the upstream did not prove who it is'];
  }
  if (error.name === 'HTTPParserError' || /^(?:HPE_|UND_ERR_(?:HEADERS_OVERFLOW|RES_|RESPONSE))/.test(code)) {
    return ['upstream_protocol', 'the response does not parse'];
  }
  return ['upstream_lost', 'the connection to the upstream broke'];
}
