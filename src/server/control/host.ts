/**
 * Owns which Host a control request may name. A page in a browser can make its own name resolve to 127.0.0.1 and send
 * requests here (DNS rebinding); it cannot make the browser name us. Pure. Must never resolve a name.
 */

/**
 * @param host the Host field, as received.
 * @param local the address that the connection came in on.
 * @param named the host of `control.listen`, lower-case.
 */
export function isOurHost(host: string | undefined, local: string | undefined, named: string): boolean {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(host ?? '');
  const name = (match?.[1] ?? match?.[2])?.toLowerCase();
  if (name === undefined) return false;
  return name === 'localhost' || name === plain(local) || name === named;
}

/** An IPv4 connection to a listener on `::` shows its address as `::ffff:127.0.0.1`. */
function plain(address: string | undefined): string | undefined {
  return address?.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
}
