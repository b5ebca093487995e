/**
 * Owns tunnels that are not intercepted: judged by where they lead, then octets both ways, unseen. Must never
 * dial before a permit.
 */

import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Pipeline } from '../../core/admission.ts';
import { Fault } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Clock } from '../../core/ports.ts';
import { refusal, refusalFrom } from '../../core/refusal.ts';
import { tunnelAction } from '../../protocol/http/action.ts';
import type { RequestHead } from '../../protocol/http/request.ts';
import { refuseOnSocket } from './answer.ts';
import { upstreamRefusal } from './relay.ts';
import type { PinnedDestination } from './resolve.ts';

export interface TunnelDeps {
  readonly pipeline: Pipeline;
  readonly clock: Clock;
  readonly waitMs: number;
  readonly ticketUrl: ((ticket: string) => string) | undefined;
}

export const ESTABLISHED = 'HTTP/1.1 200 Connection Established\r\n\r\n';

/** Judges a CONNECT and, if permitted, joins the two ends until either closes. Never rejects. */
export async function carryTunnel(
  deps: TunnelDeps,
  head: RequestHead,
  destination: PinnedDestination,
  client: Duplex,
): Promise<void> {
  const gone = new AbortController();
  const onClose = () => gone.abort();
  client.once('close', onClose);
  // A paused socket does not notice that its peer is gone: what comes meanwhile is kept for the other side.
  const early: Buffer[] = [];
  let waiting = 0;
  const onEarly = (chunk: Buffer) => {
    early.push(chunk);
    waiting += chunk.length;
    if (waiting > LIMITS.httpHeaderSection) client.pause();
  };
  client.on('data', onEarly);
  const onEnd = () => gone.abort();
  client.once('end', onEnd);

  const action = tunnelAction(head, destination, { waitMs: deps.waitMs });
  const admission = await deps.pipeline.admit(action, { signal: gone.signal });
  client.off('end', onEnd);
  if ('refusal' in admission) return refuseOnSocket(client, admission.refusal, deps);
  const { permit } = admission;
  const stop =
    action.barred ?? (gone.signal.aborted ? refusal('hold_withdrawn', 'the client went away') : null);
  if (stop || destination.addresses.length === 0) {
    const answer = stop ?? refusal('destination_unresolved', 'the host name does not resolve');
    await deps.pipeline.settle(permit, { status: 'aborted', detail: { reason: answer.code } });
    return refuseOnSocket(client, answer);
  }

  let upstream: Socket;
  try {
    permit.spend(action.fingerprint.exact);
    upstream = await dial(destination, deps.clock);
  } catch (error) {
    const answer = error instanceof Fault ? refusalFrom(error) : upstreamRefusal(error as Error);
    await deps.pipeline.settle(permit, { status: 'failed', detail: { reason: answer.code } });
    return refuseOnSocket(client, { ...answer, decision: permit.decision, ticket: permit.ticket });
  }
  client.off('data', onEarly);
  client.off('close', onClose);
  client.write(ESTABLISHED);
  for (const chunk of early) upstream.write(chunk);
  const failed = await join(client, upstream);
  await deps.pipeline.settle(permit, {
    status: failed ? 'failed' : 'completed',
    detail: { http_status: 200, request_bytes: upstream.bytesWritten, response_bytes: upstream.bytesRead },
  });
}

/** Resolves once both ends are closed; true when the upstream broke off (agents often reset what they are done with). */
function join(client: Duplex, upstream: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    let failed = false;
    let open = 2;
    const closed = () => {
      open -= 1;
      if (open === 0) resolve(failed);
    };
    client
      .on('error', () => {})
      .once('close', () => {
        upstream.destroy();
        closed();
      });
    upstream
      .on('error', () => {
        failed = true;
      })
      .once('close', () => {
        client.destroy();
        closed();
      });
    // Gone while the upstream was dialled: its close was told to others.
    if (client.destroyed) {
      upstream.destroy();
      if (client.closed) closed();
      return;
    }
    client.pipe(upstream);
    upstream.pipe(client);
  });
}

function dial(destination: PinnedDestination, clock: Clock): Promise<Socket> {
  const [first] = destination.addresses;
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: destination.addresses.length === 1 && first ? first.text : 'pinned.invalid',
      port: destination.port,
      noDelay: true,
      keepAlive: true,
      allowHalfOpen: true,
      autoSelectFamily: true,
      lookup: (_name, _options, callback) => {
        callback(
          null,
          destination.addresses.map(({ text, family }) => ({ address: text, family })),
        );
      },
    });
    const cancel = clock.after(LIMITS.upstreamConnect, () => {
      socket.destroy(Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' }));
    });
    socket.once('error', reject);
    socket.once('connect', () => {
      cancel();
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
