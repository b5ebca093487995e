/**
 * Owns a session until its first ReadyForQuery: the packets before StartupMessage, the authentication that passes
 * through, the protocol version and the cancel key that do not. Must never see a statement, nor keep a credential.
 */

import { ProtocolError } from '../../core/errors.ts';
import { authenticationStep, backendKey, negotiatedVersion, readyStatus, singleValue } from './backend.ts';
import type { Clearance } from './clearance.ts';
import { backendKeyData, negotiateProtocolVersion, searchPathQuestion } from './encode.ts';
import type { CancelKey, Command } from './events.ts';
import { reportStatus } from './lock.ts';
import { BACKEND, typeName } from './messages.ts';
import type { Settings } from './settings.ts';
import { type AdmittedStartup, admitStartup, StartupFramer, type StartupPacket } from './startup.ts';

/** TLS alert, fatal, handshake_failure (RFC 8446 section 6): all that a client in a handshake understands. */
const TLS_REFUSED = Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28]);
const NOT_OFFERED = Buffer.from('N');

const EMPTY = Buffer.alloc(0);

export type Opened = { readonly startup: AdmittedStartup; readonly rest: Buffer };

export class Opening {
  readonly #framer = new StartupFramer();
  readonly #cancelKey: CancelKey;
  readonly #asked = new Set<'ssl' | 'gss'>();
  #startup: AdmittedStartup | null = null;
  #negotiated = false;
  readonly #clearance: Clearance;
  authenticated = false;
  ready = false;
  /** The server was asked for its search_path, and the client knows nothing of that. */
  asking = false;

  constructor(cancelKey: CancelKey, clearance: Clearance) {
    this.#cancelKey = cancelKey;
    this.#clearance = clearance;
  }

  /** Octets before the session. @returns the startup message once it is there. @throws ProtocolError */
  packet(chunk: Buffer, commands: Command[]): Opened | null {
    const found = this.#framer.push(chunk);
    if (found === null) return null;
    const { packet, rest } = found;
    switch (packet.kind) {
      case 'tls':
        commands.push({ do: 'reply', octets: [TLS_REFUSED] });
        commands.push({ do: 'end', why: 'TLS from the client is not offered' });
        return null;
      case 'ssl':
      case 'gss':
        this.#encryption(packet.kind, rest, commands);
        return null;
      case 'cancel':
        commands.push({ do: 'cancel', key: packet }, { do: 'end', why: 'cancel request' });
        return null;
      case 'startup':
        return { startup: this.#admit(packet), rest };
    }
  }

  /** What follows in plaintext could have been put there by somebody in between (as CVE-2021-23214). */
  #encryption(kind: 'ssl' | 'gss', rest: Buffer, commands: Command[]): void {
    if (this.#asked.has(kind))
      throw new ProtocolError('protocol_violation', 'encryption was asked for twice');
    this.#asked.add(kind);
    if (rest.length > 0) commands.push({ do: 'end', why: 'octets after an encryption request' });
    else commands.push({ do: 'reply', octets: [NOT_OFFERED] });
  }

  #admit(packet: Extract<StartupPacket, { kind: 'startup' }>): AdmittedStartup {
    this.#startup = admitStartup(packet);
    return this.#startup;
  }

  /** A server's message. @returns what the client gets instead, or null. @throws ProtocolError */
  message(type: number, body: Buffer | null, settings: Settings, commands: Command[]): Buffer | null {
    switch (type) {
      case BACKEND.negotiateVersion:
        return this.#negotiate(body ?? EMPTY);
      case BACKEND.authentication:
        return this.#authentication(body ?? EMPTY);
      case BACKEND.backendKeyData:
        return this.#key(body ?? EMPTY, commands);
      case BACKEND.parameterStatus:
        reportStatus(body, settings);
        return null;
      case BACKEND.readyForQuery:
        return this.#readyForQuery(body ?? EMPTY, settings, commands);
      case BACKEND.error:
        return this.asking ? EMPTY : null;
      case BACKEND.notice:
        return null;
      case BACKEND.dataRow:
        settings.report('search_path', singleValue(body ?? EMPTY) ?? '');
        return EMPTY;
      case BACKEND.rowDescription:
      case BACKEND.commandComplete:
        if (this.asking) return EMPTY;
    }
    throw misplaced(type);
  }

  #readyForQuery(body: Buffer, settings: Settings, commands: Command[]): Buffer | null {
    if (!this.authenticated || readyStatus(body) === null) throw misplaced(BACKEND.readyForQuery);
    if (!settings.searchPathKnown && !this.asking) {
      this.asking = true;
      const question = this.#clearance.plumbing('search_path question', searchPathQuestion());
      commands.push({ do: 'send', cleared: [question] });
      return EMPTY;
    }
    this.asking = false;
    settings.opened();
    this.ready = true;
    return null;
  }

  #authentication(body: Buffer): Buffer | null {
    const step = authenticationStep(body);
    if (step === 'unsupported')
      throw new ProtocolError(
        'protocol_unsupported',
        'the server asks for an authentication that is not carried',
      );
    if (step === 'ok') this.authenticated = true;
    const told = this.#negotiated ? null : this.#negotiation(this.#startup?.minor ?? 0, []);
    this.#negotiated = true;
    if (told === null) return null;
    const head = Buffer.alloc(5);
    head.writeUInt8(BACKEND.authentication, 0);
    head.writeInt32BE(body.length + 4, 1);
    return Buffer.concat([told, head, body]);
  }

  #negotiate(body: Buffer): Buffer | null {
    const { minor, unknownOptions } = negotiatedVersion(body);
    this.#negotiated = true;
    return this.#negotiation(minor, unknownOptions);
  }

  /** What was kept from the server, the client is told here. Null: nothing was. */
  #negotiation(minor: number, unknownToServer: readonly string[]): Buffer | null {
    const { unknownOptions = [], newerMinor = false } = this.#startup ?? {};
    if (unknownOptions.length === 0 && !newerMinor) return null;
    return negotiateProtocolVersion(minor, [...unknownOptions, ...unknownToServer]);
  }

  /** The server's key stays here. Ours is as long as the server's: protocol 3.0 clients take four octets, no more. */
  #key(body: Buffer, commands: Command[]): Buffer {
    const server = backendKey(body);
    const { pid, secret } = this.#cancelKey;
    const ours = { pid, secret: server.secret.length === 4 ? secret.subarray(0, 4) : secret };
    commands.push({ do: 'key', ours, server });
    return backendKeyData(ours.pid, ours.secret);
  }
}

function misplaced(type: number): ProtocolError {
  return new ProtocolError(
    'upstream_protocol',
    `the server sent ${typeName(type)} while the session was opening`,
  );
}
