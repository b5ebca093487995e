/** CONNECT, octet by octet (RFC 9110, section 9.3.6), and one request inside. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';

/** Status line and all that followed, as text; the tunnel itself where it was opened. */
export interface Tunnel {
  readonly status: number;
  readonly said: string;
  readonly socket: Socket;
}

export async function openTunnel(proxyUrl: string, authority: string): Promise<Tunnel> {
  const { hostname, port } = new URL(proxyUrl);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on('error', () => {});
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  let said = '';
  while (!said.includes('\r\n\r\n')) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    said += chunk.toString('latin1');
  }
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(said)?.[1]);
  if (status !== 200 && !socket.closed) said += await text(socket);
  return { status, said, socket };
}

/** What comes back for octets sent down a tunnel, until it is closed. */
export async function sayPlain({ socket }: Tunnel, octets: string): Promise<string> {
  socket.end(octets);
  return text(socket).catch(() => '');
}

/** The same in TLS, whoever signs; the authority is not what is tested here. */
export async function sayInTls({ socket }: Tunnel, octets: string): Promise<string> {
  const secured = connectTls({ socket, rejectUnauthorized: false });
  secured.on('error', () => {});
  secured.write(octets);
  return text(secured).catch(() => '');
}
