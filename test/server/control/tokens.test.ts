/** Token files: made once, private, read again, never written over. */

import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { loadOperatorToken, loadTokens, operatorTokenFile } from '../../../src/server/control/tokens.ts';

const random = (octets: number) => randomBytes(octets);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdpoint-tokens-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it('makes the token of a file that is missing, private, and reads it the next time', async () => {
  const file = join(directory, 'deep', 'alice.token');
  const entries = [{ person: 'alice@example.com', file }];
  const first = await loadTokens(entries, { random });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const token = readFileSync(file, 'utf8').trim();
  expect(token).toMatch(/^hp_[A-Za-z0-9_-]{43}$/);
  expect(first).toEqual([{ person: 'alice@example.com', sha256: sha256(token) }]);
  expect(await loadTokens(entries, { random })).toEqual(first);
});

it('makes no two tokens alike, and takes a hash as it stands', async () => {
  const hash = sha256('x').toUpperCase();
  const [one, two, three] = await loadTokens(
    [
      { person: 'a', file: join(directory, 'a') },
      { person: 'b', file: join(directory, 'b') },
      { person: 'c', sha256: hash },
    ],
    { random },
  );
  expect(one?.sha256).not.toBe(two?.sha256);
  expect(three).toEqual({ person: 'c', sha256: hash.toLowerCase() });
});

it('makes one token when two starts race', async () => {
  const entries = [{ person: 'a', file: join(directory, 'a') }];
  const loads = await Promise.allSettled([loadTokens(entries, { random }), loadTokens(entries, { random })]);
  const token = readFileSync(join(directory, 'a'), 'utf8').trim();
  const hashes = loads.flatMap((load) =>
    load.status === 'fulfilled' ? load.value.map((entry) => entry.sha256) : [],
  );
  expect(new Set(hashes)).toEqual(new Set([sha256(token)]));
});

it('leaves a file alone that is there, and refuses one that holds no token', async () => {
  const token = 'x'.repeat(LIMITS.tokenLength);
  const file = join(directory, 'a');
  const load = (content: string) => {
    writeFileSync(file, content, { mode: 0o600 });
    return loadTokens([{ person: 'a', file }], { random });
  };
  expect(await load(`${token}\n`)).toEqual([{ person: 'a', sha256: sha256(token) }]);
  for (const content of ['', '\n', token.slice(1), `${token} ${token}`, `${token}\n${token}`, `"${token}"`]) {
    await expect(load(content)).rejects.toMatchObject({
      name: 'Fault',
      message: expect.stringContaining(file),
    });
    expect(readFileSync(file, 'utf8')).toBe(content);
  }
});

it('does not make a file where a dangling link points', async () => {
  const target = join(directory, 'elsewhere');
  const file = join(directory, 'a');
  symlinkSync(target, file);
  await expect(loadTokens([{ person: 'a', file }], { random })).rejects.toMatchObject({ name: 'Fault' });
  expect(existsSync(target)).toBe(false);
});

it('keeps the operator token in the state directory', async () => {
  const hash = await loadOperatorToken(directory, { random });
  const file = operatorTokenFile(directory);
  expect(file).toBe(join(directory, 'operator.token'));
  expect(hash).toBe(sha256(readFileSync(file, 'utf8').trim()));
  expect(await loadOperatorToken(directory, { random })).toBe(hash);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it('refuses a token that others on the machine can read', async () => {
  const file = join(directory, 'a');
  writeFileSync(file, 'x'.repeat(LIMITS.tokenLength), { mode: 0o640 });
  await expect(loadTokens([{ person: 'a', file }], { random })).rejects.toThrow(/others can read this token/);
});
