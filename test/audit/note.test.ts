/** Signed notes and checkpoints against the examples of C2SP and of Go's reference implementation. */

import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filed, filedNotes, openCheckpoint, signCheckpoint } from '../../src/audit/checkpoint.ts';
import { leafHash } from '../../src/audit/merkle.ts';
import {
  formatVerifierKey,
  isKeyName,
  type NoteSigner,
  openNote,
  parseVerifierKey,
  signNote,
  verifierKey,
} from '../../src/audit/note.ts';

// The example key and note of golang.org/x/mod/sumdb/note.
const GO_KEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const GO_SEED = Buffer.from('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz', 'base64').subarray(1);
const GO_TEXT =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const GO_NOTE = `${GO_TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;

/** An Ed25519 private key from its 32-octet seed: RFC 8410's fixed header before it. */
function signerOf(name: string, seed: Buffer): NoteSigner {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const { x } = privateKey.export({ format: 'jwk' });
  return {
    key: verifierKey(name, Buffer.from(x ?? '', 'base64url')),
    sign: (text) => sign(null, text, privateKey),
  };
}

const goSigner = signerOf('PeterNeumann', GO_SEED);
const other = signerOf('PeterNeumann', Buffer.alloc(32, 7));

describe('signed notes', () => {
  it('reads and writes a verifier key as Go does', () => {
    expect(formatVerifierKey(goSigner.key)).toBe(GO_KEY);
    expect(formatVerifierKey(parseVerifierKey(`${GO_KEY}\n`))).toBe(GO_KEY);
  });

  it('signs exactly the note that Go signs', () => {
    expect(signNote(GO_TEXT, goSigner)).toBe(GO_NOTE);
  });

  it('opens the note that Go signed, and no other text', () => {
    expect(openNote(GO_NOTE, parseVerifierKey(GO_KEY))).toEqual({ text: GO_TEXT });
    expect(openNote(GO_NOTE.replace('answer', 'Answer'), goSigner.key)).toEqual({
      problem: 'the signature does not verify',
    });
  });

  it('finds a change of any one octet', () => {
    const octets = Buffer.from(GO_NOTE);
    for (let at = 0; at < octets.byteLength; at += 1) {
      const changed = Buffer.from(octets);
      changed[at] = (changed[at] ?? 0) ^ 0x01;
      expect(openNote(changed.toString(), goSigner.key), `octet ${at}`).toHaveProperty('problem');
    }
  });

  it.each([
    ['no id', 'PeterNeumann+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'],
    ['another id', GO_KEY.replace('c74f20a3', 'c74f20a4')],
    ['another name', GO_KEY.replace('Peter', 'Petra')],
    ['another algorithm', GO_KEY.replace('+AR', '+AB')],
    ['a cut key', GO_KEY.slice(0, -4)],
    ['a space in the name', GO_KEY.replace('Peter', 'Peter ')],
    ['base64 in another form', GO_KEY.replace('10TW', '10TX=')],
  ])('refuses a verifier key with %s', (_, text) => {
    expect(() => parseVerifierKey(text)).toThrow(RangeError);
  });

  it('passes over lines of unknown keys, and asks for its own', () => {
    const cosigned = `${GO_NOTE}${signNote(GO_TEXT, other).split('\n\n')[1]}`;
    expect(openNote(cosigned, goSigner.key)).toEqual({ text: GO_TEXT });
    expect(openNote(cosigned, other.key)).toEqual({ text: GO_TEXT });
    const unknown = verifierKey('PeterNeumann', Buffer.alloc(32, 9));
    expect(openNote(cosigned, unknown)).toHaveProperty('problem');
  });

  it('accepts sixteen signatures and refuses a hundred and one', () => {
    const line = signNote(GO_TEXT, other).split('\n\n')[1] ?? '';
    expect(openNote(GO_NOTE + line.repeat(15), goSigner.key)).toEqual({ text: GO_TEXT });
    expect(openNote(GO_NOTE + line.repeat(99), goSigner.key)).toEqual({ text: GO_TEXT });
    expect(openNote(GO_NOTE + line.repeat(100), goSigner.key)).toEqual({
      problem: 'the note has too many signatures',
    });
  });

  it('splits at the last empty line, since a text may have some', () => {
    const note = signNote('one\n\ntwo\n', goSigner);
    expect(openNote(note, goSigner.key)).toEqual({ text: 'one\n\ntwo\n' });
  });

  it('signs no text that a note cannot carry', () => {
    for (const text of ['no newline', 'tab\t\n', 'nul\0\n', '\ud800\n'])
      expect(() => signNote(text, goSigner)).toThrow(RangeError);
  });

  it('knows key names', () => {
    expect(['example.com/log', 'holdpoint/0a', 'é'].map(isKeyName)).toEqual([true, true, true]);
    expect(['', 'a b', 'a+b', 'a\u2003b', 'a\nb', '\ud800'].map(isKeyName)).toEqual(Array(6).fill(false));
  });
});

describe('checkpoints', () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const seed = Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url');
  const signer = signerOf('example.com/log', seed);
  const head = { size: 20852163, root: leafHash(Buffer.from('x')) };

  it('has origin, size and root, each on its line', () => {
    const [origin, size, root, empty, signature] = signCheckpoint(head, signer).split('\n');
    expect([origin, size, root, empty]).toEqual([
      'example.com/log',
      '20852163',
      head.root.toString('base64'),
      '',
    ]);
    expect(signature).toMatch(/^— example\.com\/log [A-Za-z0-9+/]+=*$/);
  });

  it('comes back as it went in', () => {
    expect(openCheckpoint(signCheckpoint(head, signer), signer.key)).toEqual(head);
  });

  it('takes the example of the standard for well formed', () => {
    const example =
      'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n';
    expect(openCheckpoint(example, signer.key)).toEqual({
      problem: `not signed by example.com/log+${signer.key.id}`,
    });
  });

  it.each([
    ['another origin', 'other\n1\n{root}\n'],
    ['a leading zero', 'example.com/log\n01\n{root}\n'],
    ['no size', 'example.com/log\n-1\n{root}\n'],
    ['a size past what counts exactly', 'example.com/log\n9999999999999999\n{root}\n'],
    ['no root', 'example.com/log\n1\n'],
    ['a short root', 'example.com/log\n1\nAAAA\n'],
    ['an empty extension line', 'example.com/log\n1\n{root}\n\n\n'],
  ])('refuses a signed text with %s', (_, text) => {
    const note = signNote(text.replace('{root}', head.root.toString('base64')), signer);
    expect(openCheckpoint(note, signer.key)).toHaveProperty('problem');
  });

  it('takes extension lines, which others may add', () => {
    const note = signNote(`example.com/log\n1\n${head.root.toString('base64')}\nextension\n`, signer);
    expect(openCheckpoint(note, signer.key)).toEqual({ size: 1, root: head.root });
  });

  it('is found again in a file that was torn at any place', () => {
    const notes = [1, 2, 3].map((size) => signCheckpoint({ size, root: head.root }, signer));
    const file = notes.map(filed).join('');
    expect(filedNotes(file)).toEqual({ notes, torn: 0 });
    fc.assert(
      fc.property(fc.nat({ max: file.length }), (length) => {
        const found = filedNotes(file.slice(0, length));
        const whole = notes.filter(
          (_, index) =>
            notes
              .slice(0, index + 1)
              .map(filed)
              .join('').length <= length,
        );
        expect(found.notes).toEqual(whole);
        expect(whole.map(filed).join('').length + found.torn).toBe(length);
      }),
    );
  });
});
