/**
 * A certificate authority for tests: P-256, in memory, valid for a day. Written apart from Holdpoint's own, so that a
 * mistake in one does not hide in the other.
 */

import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface Certificate {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

export interface Authority {
  /** PEM, to be trusted by whoever shall trust what it issues. */
  readonly cert: string;
  /** A server certificate for DNS names. */
  issue(names: readonly string[]): Certificate;
}

export function createAuthority(name = 'Stand-in authority'): Authority {
  const issuer = keyPair();
  const constraints = [
    extension('2.5.29.19', true, sequence(boolean(true))), // basicConstraints: a CA
    extension('2.5.29.15', true, bits(Buffer.of(0x06), 1)), // keyUsage: keyCertSign, cRLSign
  ];
  const cert = certificate(name, issuer.publicKey, constraints, name, issuer.privateKey);
  return {
    cert,
    issue(names) {
      const subject = keyPair();
      const alternatives = sequence(...names.map((host) => tlv(0x82, Buffer.from(host, 'ascii'))));
      const extensions = [
        extension('2.5.29.17', false, alternatives), // subjectAltName
        extension('2.5.29.37', false, sequence(oid('1.3.6.1.5.5.7.3.1'))), // extKeyUsage: serverAuth
      ];
      return {
        cert: certificate(names[0] ?? '', subject.publicKey, extensions, name, issuer.privateKey),
        key: subject.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      };
    },
  };
}

const keyPair = () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const DAY = 86_400_000;
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';

/** RFC 5280, section 4.1. */
function certificate(
  subject: string,
  subjectKey: KeyObject,
  extensions: readonly Buffer[],
  issuer: string,
  issuerKey: KeyObject,
): string {
  const algorithm = sequence(oid(ECDSA_WITH_SHA256));
  const body = sequence(
    tlv(0xa0, integer(Buffer.of(2))), // version 3
    integer(Buffer.concat([Buffer.of(0x01), randomBytes(15)])),
    algorithm,
    distinguishedName(issuer),
    sequence(utcTime(Date.now() - DAY), utcTime(Date.now() + DAY)),
    distinguishedName(subject),
    subjectKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', body, { key: issuerKey, dsaEncoding: 'der' });
  const base64 = sequence(body, algorithm, bits(signature, 0)).toString('base64');
  const lines = base64.match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

// DER, X.690.

function tlv(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}

const sequence = (...items: readonly Buffer[]): Buffer => tlv(0x30, Buffer.concat(items));
const integer = (content: Buffer): Buffer => tlv(0x02, content);
const boolean = (value: boolean): Buffer => tlv(0x01, Buffer.of(value ? 0xff : 0));
const bits = (content: Buffer, unused: number): Buffer =>
  tlv(0x03, Buffer.concat([Buffer.of(unused), content]));

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const octets = [first * 40 + second, ...rest.flatMap(base128)];
  return tlv(0x06, Buffer.from(octets));
}

function base128(value: number): number[] {
  const octets = [value & 0x7f];
  for (let left = value >> 7; left > 0; left >>= 7) octets.unshift((left & 0x7f) | 0x80);
  return octets;
}

function distinguishedName(common: string): Buffer {
  const attribute = sequence(oid('2.5.4.3'), tlv(0x0c, Buffer.from(common)));
  return sequence(tlv(0x31, attribute));
}

/** `YYMMDDHHMMSSZ`. */
const utcTime = (at: number): Buffer =>
  tlv(0x17, Buffer.from(`${new Date(at).toISOString().replace(/\D/g, '').slice(2, 14)}Z`));

const extension = (id: string, critical: boolean, value: Buffer): Buffer =>
  sequence(oid(id), ...(critical ? [boolean(true)] : []), tlv(0x04, value));
