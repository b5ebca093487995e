/**
 * Owns speaking to the control API of a running Holdpoint: where it is, which token goes along, and what its refusals
 * mean to the shell. Must never send the token anywhere but there.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TicketDocument } from '../approval/api-ticket.ts';
import { loadConfig } from '../config/load.ts';
import { addressText, type SocketAddress } from '../core/address.ts';
import { messageOf } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { printableLine } from './approvals-text.ts';
import { CommandFailed, EXIT, type ExitCode } from './exit.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** As given on the command line. */
export interface ConnectionOptions {
  readonly url?: string;
  readonly config?: string;
  readonly token?: string;
  readonly tokenFile?: string;
}

export interface Connection {
  readonly url: string;
  readonly token: string;
}

export interface TicketList {
  readonly tickets: readonly TicketDocument[];
  readonly next: string | null;
}

const DEFAULT_URL = 'http://127.0.0.1:3180';

/**
 * The option, then the environment, then the configuration, then the default. Only reading falls back on the operator
 * token beside the configuration: it names nobody who could answer. @throws CommandFailed
 */
export function connectionOf(
  options: ConnectionOptions,
  env: Environment,
  use: 'read' | 'answer',
): Connection {
  const config = options.config === undefined ? null : loadConfig(options.config, env);
  const url = options.url ?? env.HOLDPOINT_URL ?? (config ? urlOf(config.control.listen) : DEFAULT_URL);
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw usage(`${url} is not an http(s) URL`);
  const token =
    options.token ??
    (options.tokenFile === undefined ? env.HOLDPOINT_TOKEN : tokenIn(options.tokenFile)) ??
    (config && use === 'read' ? tokenIn(join(config.state_dir, 'operator.token')) : undefined);
  if (token === undefined) {
    const whose = use === 'answer' ? 'your own token' : 'a token';
    throw usage(`${whose} is needed: --token-file, --token or HOLDPOINT_TOKEN`);
  }
  return { url, token };
}

export async function listTickets(to: Connection, states: string | null, limit: number): Promise<TicketList> {
  const query = new URLSearchParams({ ...(states === null ? {} : { state: states }), limit: String(limit) });
  return call<TicketList>(to, `?${query}`);
}

export async function showTicket(to: Connection, id: string): Promise<TicketDocument> {
  return call<TicketDocument>(to, `/${await idOf(to, id)}`);
}

export async function decideTicket(
  to: Connection,
  id: string,
  body: { readonly decision: 'approve' | 'deny'; readonly reason?: string },
): Promise<TicketDocument> {
  return call<TicketDocument>(to, `/${await idOf(to, id)}/decision`, body);
}

/** `latest` is the newest that is pending. */
async function idOf(to: Connection, id: string): Promise<string> {
  if (id !== 'latest') return encodeURIComponent(id.toUpperCase());
  const newest = (await listTickets(to, 'pending', 1)).tickets[0];
  if (newest === undefined) throw new CommandFailed(EXIT.no, ['nothing is waiting for approval']);
  return newest.id;
}

async function call<T>({ url, token }: Connection, path: string, body?: object): Promise<T> {
  const target = `${url.replace(/\/+$/, '')}/api/v1/approvals${path}`;
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const response = await fetch(target, {
    headers,
    // Nowhere else: a redirect would take the token along.
    redirect: 'error',
    signal: AbortSignal.timeout(LIMITS.controlRequest),
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  }).catch((error: unknown) => {
    throw new CommandFailed(EXIT.fault, [`${url} cannot be reached: ${causeOf(error)}`]);
  });
  const document = await response.json().catch(() => null);
  if (response.ok && typeof document === 'object' && document !== null) return document as T;
  throw refusedBy(url, response.status, document);
}

function refusedBy(url: string, status: number, document: unknown): CommandFailed {
  const { title, detail, remedy } = (document ?? {}) as Record<string, unknown>;
  if (typeof title !== 'string' || typeof detail !== 'string')
    return new CommandFailed(EXIT.fault, [`${url} answers with status ${status}, and not as Holdpoint does`]);
  const lines = [`${title}: ${detail}`, ...(typeof remedy === 'string' ? [remedy] : [])];
  return new CommandFailed(exitOf(status), lines.map(printableLine));
}

function exitOf(status: number): ExitCode {
  if (status >= 500) return EXIT.fault;
  return [400, 413, 415, 421].includes(status) ? EXIT.usage : EXIT.no;
}

function urlOf({ host, port }: SocketAddress): string {
  // An address to listen on everywhere is none to go to.
  const reachable = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host;
  return `http://${addressText({ host: reachable, port })}`;
}

function tokenIn(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw usage(`${file}: the token cannot be read (${why})`);
  }
}

function usage(line: string): CommandFailed {
  return new CommandFailed(EXIT.usage, [printableLine(line)]);
}

/** undici says only “fetch failed”, and keeps why as the cause. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof Error && 'code' in cause) return String(cause.code);
  return messageOf(cause);
}
