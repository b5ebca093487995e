/**
 * Owns the message type octets of protocol 3 (PostgreSQL docs, "Message Formats") and their printable names.
 * Must never know what a message means.
 */

const octet = (letter: string): number => letter.charCodeAt(0);

/** What a client sends. */
export const FRONTEND = {
  bind: octet('B'),
  close: octet('C'),
  copyData: octet('d'),
  copyDone: octet('c'),
  copyFail: octet('f'),
  describe: octet('D'),
  execute: octet('E'),
  flush: octet('H'),
  functionCall: octet('F'),
  /** Password, SASL and GSS responses share it. */
  authentication: octet('p'),
  parse: octet('P'),
  query: octet('Q'),
  sync: octet('S'),
  terminate: octet('X'),
} as const;

/** What a server sends. */
export const BACKEND = {
  authentication: octet('R'),
  backendKeyData: octet('K'),
  bindComplete: octet('2'),
  closeComplete: octet('3'),
  commandComplete: octet('C'),
  copyBoth: octet('W'),
  copyData: octet('d'),
  copyDone: octet('c'),
  copyIn: octet('G'),
  copyOut: octet('H'),
  dataRow: octet('D'),
  emptyQuery: octet('I'),
  error: octet('E'),
  functionResult: octet('V'),
  negotiateVersion: octet('v'),
  noData: octet('n'),
  notice: octet('N'),
  notification: octet('A'),
  parameterDescription: octet('t'),
  parameterStatus: octet('S'),
  parseComplete: octet('1'),
  portalSuspended: octet('s'),
  readyForQuery: octet('Z'),
  rowDescription: octet('T'),
} as const;

/** `'Q'` where it prints, else `0x00`. */
export function typeName(type: number): string {
  return type > 0x20 && type < 0x7f
    ? `'${String.fromCharCode(type)}'`
    : `0x${type.toString(16).padStart(2, '0')}`;
}
