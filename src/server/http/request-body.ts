/**
 * Owns reading a request's body off its stream: up to a bound for judging, on to its end for keeping, or handed
 * through while it arrives. Must never look into it.
 */

import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { ProtocolError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Clock } from '../../core/ports.ts';

export interface Collected {
  readonly octets: Buffer;
  /** False when the body is longer than was asked for; the rest is still to come. */
  readonly complete: boolean;
}

/** Announced length in octets; 0 without a body, -1 for a chunked one. */
export function announcedLength(request: IncomingMessage): number {
  if (request.headers['transfer-encoding'] !== undefined) return -1;
  const length = request.headers['content-length'];
  return length === undefined ? 0 : Number(length);
}

/**
 * Reads until the end, or until more than `maxOctets` have come; then the stream is left paused.
 * @throws ProtocolError `request_timeout` when nothing comes for too long, `request_malformed` when it breaks off
 */
export function collect(request: IncomingMessage, maxOctets: number, clock: Clock): Promise<Collected> {
  const chunks: Buffer[] = [];
  let count = 0;
  return new Promise((resolve, reject) => {
    const finish = (complete: boolean) => {
      const [only] = chunks;
      resolve({ octets: only && chunks.length === 1 ? only : Buffer.concat(chunks, count), complete });
    };
    const consumed = consume(request, clock, {
      chunk(chunk) {
        chunks.push(chunk);
        count += chunk.length;
        if (count <= maxOctets) return;
        consumed.stop();
        finish(false);
      },
      end: () => finish(true),
      fail: reject,
    });
  });
}

/** Feeds what was collected and then everything that follows to `take`, one at a time. */
export async function drainInto(
  request: IncomingMessage,
  collected: Collected,
  clock: Clock,
  take: (chunk: Buffer) => Promise<void>,
): Promise<void> {
  await take(collected.octets);
  if (collected.complete) return;
  await new Promise<void>((resolve, reject) => {
    let last: Promise<void> = Promise.resolve();
    const consumed = consume(request, clock, {
      chunk(chunk) {
        request.pause();
        last = take(chunk).then(
          () => void request.resume(),
          (error: unknown) => {
            consumed.stop();
            reject(error);
          },
        );
      },
      end: () => void last.then(resolve),
      fail: reject,
    });
  });
}

/** What was collected, followed by the rest as it arrives, with back-pressure all the way to the client. */
export function replay(
  request: IncomingMessage,
  collected: Collected,
): { body: Readable; sent: () => number } {
  let sent = collected.octets.length;
  const onData = (chunk: Buffer) => {
    sent += chunk.length;
    if (!body.push(chunk)) request.pause();
  };
  const onEnd = () => void body.push(null);
  const onClose = () => void body.destroy(new Error('the client went away'));
  let started = false;
  const body = new Readable({
    read() {
      if (!started) {
        started = true;
        if (!body.push(collected.octets)) return;
      }
      request.resume();
    },
    destroy(error, callback) {
      request.off('data', onData);
      request.off('end', onEnd);
      request.off('close', onClose);
      callback(error);
    },
  });
  request.on('data', onData);
  request.once('end', onEnd);
  request.once('close', onClose);
  request.pause();
  return { body, sent: () => sent };
}

interface Consumer {
  chunk(chunk: Buffer): void;
  end(): void;
  fail(error: ProtocolError): void;
}

function consume(request: IncomingMessage, clock: Clock, consumer: Consumer): { stop(): void } {
  let cancel = () => {};
  const stop = () => {
    cancel();
    request.off('data', onData);
    request.off('end', onEnd);
    request.off('close', onClose);
    request.pause();
  };
  const fail = (error: ProtocolError) => {
    stop();
    consumer.fail(error);
  };
  const watch = () => {
    cancel();
    cancel = clock.after(LIMITS.httpBodyIdle, () =>
      fail(new ProtocolError('request_timeout', 'the rest of the request body did not arrive')),
    );
  };
  const onData = (chunk: Buffer) => {
    watch();
    consumer.chunk(chunk);
  };
  const onEnd = () => {
    stop();
    consumer.end();
  };
  const onClose = () => fail(new ProtocolError('request_malformed', 'the request body broke off'));
  request.on('data', onData);
  request.once('end', onEnd);
  request.once('close', onClose);
  watch();
  request.resume();
  return { stop };
}
