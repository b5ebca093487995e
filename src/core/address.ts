/** Owns the address of a listener or a server, and how it is written. Must never resolve or judge one. */

export interface SocketAddress {
  /** A host name or an IP address, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** `host:port` as a URL has it: an IPv6 address stands in brackets (RFC 3986 section 3.2.2). */
export function addressText({ host, port }: SocketAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
