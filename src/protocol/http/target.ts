/**
 * Owns request targets (RFC 9112 section 3.2): absolute, origin and authority form, strictly. What two readers
 * could take for two things is refused here. Must never see headers other than Host.
 */

import { ProtocolError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { type Authority, authorityText, parseAuthority, sameAuthority } from './host.ts';

export type Scheme = 'http' | 'https';

export interface Target {
  readonly scheme: Scheme;
  readonly authority: Authority;
  /** Path with query, exactly as it goes upstream; never empty. */
  readonly path: string;
}

/** Where a tunnelled request belongs: what CONNECT named, and how it is spoken to. */
export interface Origin {
  readonly scheme: Scheme;
  readonly authority: Authority;
}

export const DEFAULT_PORT: Readonly<Record<Scheme, number>> = { http: 80, https: 443 };

/** `host[:port]`, the port left out where it is the scheme's own. */
export const shownAuthority = ({ scheme, authority }: Origin): string =>
  authority.port === DEFAULT_PORT[scheme] ? authority.host.name : authorityText(authority);

/**
 * The target of CONNECT: `host:port`, nothing else (RFC 9110 section 9.3.6).
 * @throws ProtocolError `request_malformed`
 */
export function parseConnectTarget(target: string): Authority {
  const authority = parseAuthority(target, null);
  if (!authority) throw malformed('CONNECT needs a host and a port');
  return authority;
}

/**
 * The target of any other request, together with its Host fields, sent to the proxy itself (`origin` null) or
 * inside a tunnel. Host and target must name the same authority.
 * @throws ProtocolError `request_malformed`
 */
export function parseTarget(
  target: string,
  hosts: readonly string[],
  protocol: string,
  origin: Origin | null,
): Target {
  if (target.length > LIMITS.httpTarget) {
    throw new ProtocolError(
      'headers_too_large',
      `the request target is longer than ${LIMITS.httpTarget} octets`,
    );
  }
  // RFC 9112 section 3.2: a lone Host; HTTP/1.0 may do without.
  if (hosts.length > 1) throw malformed('there is more than one Host field');
  if (hosts.length === 0 && protocol !== 'HTTP/1.0') throw malformed('the Host field is missing');

  const absolute = parseAbsolute(target);
  if (!absolute && origin === null) {
    throw malformed(
      'this is a proxy: send it requests with an absolute URL, or CONNECT (set HTTP_PROXY and HTTPS_PROXY to this address)',
    );
  }
  if (!absolute && !target.startsWith('/')) throw malformed('the request target is not a path');
  if (/[^\x21-\x7e]/.test(target))
    throw malformed('the request target has characters that must be percent-encoded');
  if (target.includes('#')) throw malformed('the request target has a fragment');

  const scheme = absolute?.scheme ?? origin?.scheme ?? 'http';
  const named = hosts[0] === undefined ? null : parseAuthority(hosts[0], DEFAULT_PORT[scheme]);
  if (hosts[0] !== undefined && !named) throw malformed('the Host field is not a host');
  const authority = absolute?.authority ?? named ?? origin?.authority;
  if (!authority) throw malformed('the request names no host');
  if (named && !sameAuthority(named, authority))
    throw malformed('the Host field and the request target differ');
  if (origin && (origin.scheme !== scheme || !sameAuthority(origin.authority, authority))) {
    throw malformed('the request is for another host than the tunnel it came through');
  }
  return { scheme, authority, path: absolute?.path ?? target };
}

function parseAbsolute(target: string): Target | null {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(.*)$/i.exec(target);
  if (!match) return null;
  const [, rawScheme = '', rawAuthority = '', rest = ''] = match;
  const scheme = rawScheme.toLowerCase();
  if (scheme !== 'http' && scheme !== 'https') {
    throw new ProtocolError('protocol_unsupported', `URLs of scheme ${scheme.slice(0, 20)} are not carried`);
  }
  // RFC 9110 section 4.2.4: user information in an http(s) URL is to be treated as an error.
  if (rawAuthority.includes('@')) throw malformed('the URL has user information before its host');
  const authority = parseAuthority(rawAuthority, DEFAULT_PORT[scheme]);
  if (!authority) throw malformed('the URL has no valid host');
  return { scheme, authority, path: rest.startsWith('/') ? rest : `/${rest}` };
}

const malformed = (detail: string): ProtocolError => new ProtocolError('request_malformed', detail);
