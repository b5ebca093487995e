/**
 * Owns the offline view: a call as text to the facts that policy would see, with nothing resolved and nothing
 * sent. Must never differ from the live path in anything but the address.
 */

import type { HttpFacts } from '../../core/facts.ts';
import type { Fingerprint } from '../../core/fingerprint.ts';
import type { Display } from '../../core/ticket.ts';
import { requestAction } from './action.ts';
import { classify, parseAddress } from './address.ts';
import { readBody } from './body.ts';
import { authorityText, classOfHost, parseAuthority, sameAuthority } from './host.ts';
import type { Destination } from './request.ts';
import { DEFAULT_PORT, parseTarget, type Target } from './target.ts';

export interface HttpCase {
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface ExplainOptions {
  /** `host:port` to `address[:port]`, as in `upstream.resolve`. */
  readonly resolve?: Readonly<Record<string, string>>;
}

export interface ExplainedHttp {
  readonly facts: HttpFacts;
  readonly fingerprint: Fingerprint;
  readonly display: Display;
}

/** The ports of the configuration that `npm start` serves. */
const OWN_PORTS = [3128, 3180, 6432];
/** Octets; the default of `http.inspect.max_body`. */
const MAX_BODY = 1024 * 1024;

/**
 * A Host field that names another host than the URL, which the listener refuses, is shown as ambiguous.
 * @throws ProtocolError when the URL is none that the listener takes
 */
export function explainHttp(call: HttpCase, options: ExplainOptions = {}): ExplainedHttp {
  const given = Object.entries(call.headers ?? {});
  const named = given.filter(([name]) => name.toLowerCase() === 'host').map(([, value]) => value);
  const own = /^[a-z]+:\/\/([^/?#]*)/i.exec(call.url)?.[1] ?? '';
  const target = parseTarget(call.url, [own], 'HTTP/1.1', null);
  const agreed = named.every((host) => {
    const authority = parseAuthority(host, DEFAULT_PORT[target.scheme]);
    return authority !== null && sameAuthority(authority, target.authority);
  });
  const headers = [...(named.length === 0 ? ['host', own] : []), ...given.flat()];
  const octets = Buffer.from(call.body ?? '', 'utf8');
  const body = readBody({ kind: 'whole', octets }, headers, MAX_BODY);
  const head = {
    method: call.method,
    target,
    protocol: 'HTTP/1.1',
    headers,
    tls: { sni: sniOf(target), intercepted: target.scheme === 'https' },
  };
  const request = { head, destination: offlineDestination(target, options), body };
  const contradictory = !agreed || named.length > 1;
  const { facts, fingerprint, display } = requestAction({ ...request, contradictory }, { waitMs: 0 });
  return { facts, fingerprint, display };
}

const sniOf = ({ scheme, authority }: Target): string | null =>
  scheme === 'https' && !authority.host.address ? authority.host.name : null;

function offlineDestination({ authority }: Target, options: ExplainOptions): Destination {
  const mapped = parseAuthority(options.resolve?.[authorityText(authority)] ?? '', authority.port);
  const address = mapped?.host.address ?? authority.host.address;
  const port = mapped?.port ?? authority.port;
  const byName = classOfHost(authority.host);
  const kind = byName === 'metadata' ? byName : address ? classify(address) : (byName ?? 'public');
  const loopback = address ?? (kind === 'loopback' ? parseAddress('127.0.0.1') : null);
  return {
    address: address?.text ?? '',
    port,
    class: kind,
    self: loopback !== null && classify(loopback) === 'loopback' && OWN_PORTS.includes(port),
  };
}
