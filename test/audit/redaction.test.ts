/** What the log keeps of an action, and above all what it never does. PostgreSQL's own lexer is the judge of SQL. */

import fc from 'fast-check';
import { loadModule, scanSync } from 'libpg-query';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Capture, createCapturer, redactUrl } from '../../src/audit/capture.ts';
import { maskSecrets } from '../../src/audit/secret-shapes.ts';
import { redactSql } from '../../src/audit/sql-redaction.ts';
import type { Facts, Json } from '../../src/core/facts.ts';
import { LIMITS } from '../../src/core/limits.ts';

beforeAll(async () => loadModule());

function kept(action: Json, kind: Facts['kind'], capture: Capture = 'redacted'): Json {
  return JSON.parse(createCapturer(capture)(action, kind));
}

describe('SQL text', () => {
  it.each([
    [
      'strings',
      `SELECT * FROM "users" WHERE a = 'x''y' AND b = $1`,
      `SELECT * FROM "users" WHERE a = '…' AND b = $1`,
    ],
    ['escapes', String.raw`SELECT E'a\'b' , 'a\' , c`, `SELECT '…' , '…' , c`],
    ['continued strings', `SELECT 'a'\n  'b' , 'c' 'd'`, `SELECT '…' , '…' '…'`],
    ['continued escapes', `SELECT E'a' -- c\n 'b\\'c'`, `SELECT '…'`],
    ['dollar quotes', `DO $f$ x $$ y $f$; SELECT $$z$$`, `DO '…'; SELECT '…'`],
    ['a dollar in a name', 'SELECT a$b$c$b$', 'SELECT a$b$c$b$'],
    [
      'bits, hex, national, Unicode',
      `SELECT B'01', x'ff', N'n', U&'\\0041', U&"d"`,
      `SELECT '…', '…', '…', '…', U&"d"`,
    ],
    ['numbers', 'SELECT 12, 1.5e-3, .5, 0xFF, 1_000, t1.c2', 'SELECT …, …, …, …, …, t1.c2'],
    ['row bounds', 'SELECT a LIMIT 10 OFFSET 20', 'SELECT a LIMIT 10 OFFSET 20'],
    ['comments', 'SELECT a -- k=1\n/* x /* y */ z */ FROM t', 'SELECT a --…\n/*…*/ FROM t'],
    ['custom settings', 'SET LOCAL app.key TO abc, "d"; SELECT x', 'SET LOCAL app.key TO …, …; SELECT x'],
    ['settings of a role', 'ALTER ROLE r SET app.key = abc', 'ALTER ROLE r SET app.key = …'],
    ['plain settings', 'SET search_path TO a, b', 'SET search_path TO a, b'],
    ['updates', 'UPDATE t SET a = b, c = d', 'UPDATE t SET a = b, c = d'],
    ['an open string', `SELECT 'abc`, `SELECT '…'`],
    ['an open dollar quote', 'SELECT $a$abc', `SELECT '…'`],
    ['an open comment', 'SELECT /* abc', 'SELECT /*…*/'],
    ['an open name', 'SELECT "abc', 'SELECT "abc'],
    ['nothing', '', ''],
  ])('keeps the shape and not the values: %s', (_, text, redacted) => {
    expect(redactSql(text)).toBe(redacted);
  });

  it('lets no constant through, and keeps every name, wherever PostgreSQL’s lexer sees one', () => {
    const piece = fc.constantFrom(
      ...[
        "'zq'",
        "'zq''zq'",
        "E'zq\\'zq'",
        "'zq\\'",
        "e'zq\\\\'",
        "U&'zq'",
        "B'77'",
        "x'77'",
        "n'zq'",
        '$$zq$$',
        '$t$zq$$zq$t$',
      ],
      ...[
        '"na me"',
        '"n""q"',
        'name',
        'é',
        'a$1',
        'e',
        'U',
        '$1',
        '77',
        '.77',
        '77.77e77',
        '0x77',
        '77e-77',
        '7_7',
      ],
      ...[
        '-- zq\n',
        '/* zq */',
        '/* zq /* zq */ zq */',
        ' ',
        '\n',
        '\t',
        '+',
        '-',
        '/',
        '*',
        '.',
        ',',
        ';',
        '::',
        '(',
        '[',
        '=',
        "''",
      ],
    );
    let judged = 0;
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        const redacted = redactSql(text);
        // libpg_query ends a string at a comment, where the server's lexer continues it after the newline (tried on 15).
        const tokens = /'\s*--/.test(text) ? null : scanned(text);
        if (!tokens) return;
        judged += 1;
        let rest = '';
        let from = 0;
        for (const { text: name } of tokens.filter((token) => token.tokenName === 'IDENT')) {
          const at = redacted.indexOf(name, from);
          expect(at, `${name} in ${redacted} of ${text}`).toBeGreaterThanOrEqual(0);
          rest += redacted.slice(from, at);
          from = at + name.length;
        }
        rest += redacted.slice(from);
        expect(rest.replace(/\$\d+/g, ''), `${redacted} of ${text}`).not.toMatch(/7|zq/);
      }),
      { numRuns: 5_000 },
    );
    expect(judged).toBeGreaterThan(500);
  });

  it('is linear in what an agent may send', () => {
    const hostile = ["'", '$a$', '/*', '--', "E'\\", '"', '1.e', "' \n--"];
    for (const part of hostile) {
      const start = performance.now();
      redactSql(part.repeat(200_000 / part.length));
      expect(performance.now() - start, part).toBeLessThan(2_000);
    }
  });
});

function scanned(text: string) {
  try {
    return scanSync(text).tokens;
  } catch {
    return null;
  }
}

describe('addresses', () => {
  it.each([
    ['https://u:p@h.example/a?token=zq&b=2#zq', 'https://h.example/a?token=…&b=…'],
    ['/v1/things/42?zq', '/v1/things/42?…'],
    ['/a;jsessionid=zq/b', '/a;…/b'],
    ['//u:zq@h/a', '//h/a'],
    [
      'https://hooks.example/services/T0/B0/XyZ0aB1cD2eF3gH4iJ5kL6mN',
      'https://hooks.example/services/T0/B0/…',
    ],
    [
      '/repos/o/r/git/commits/2fd4e1c67a2d28fced849ee1bb76e7391b93eb12',
      '/repos/o/r/git/commits/2fd4e1c67a2d28fced849ee1bb76e7391b93eb12',
    ],
    ['/apis/apps/v1/namespaces/prod/deployments/api', '/apis/apps/v1/namespaces/prod/deployments/api'],
    ['', ''],
  ])('keeps where %s goes', (url, redacted) => {
    expect(redactUrl(url)).toBe(redacted);
  });

  it('knows what a credential looks like', () => {
    const samples = [
      'ghp_abcdefghijklmnop',
      'AKIAIOSFODNN7EXAMPLE',
      'sk-proj-abcdefgh12',
      'eyJhbGciOi.eyJzdWIi.abc',
    ];
    for (const sample of samples) expect(maskSecrets(`x ${sample} y`)).toBe('x … y');
  });

  it('leaves names, UUIDs and digests alone', () => {
    const samples = [
      'customers_archive_2024_partition',
      '3fa85f64-5717-4562-b3fc-2c963f66afa6',
      'a'.repeat(64),
    ];
    for (const sample of samples) expect(maskSecrets(sample)).toBe(sample);
  });
});

describe('capture', () => {
  const statement = {
    text: "SELECT 'zq'",
    parameters: ['zq', null, { value: 'zq', type: 'text', format: 'text' }, { value: null, type: 'int4' }],
    database: 'app',
    statements: [{ node: 'SelectStmt', reads: [{ schema: null, name: 'users' }], comment: 'zq' }],
    notes: 'zq',
  };
  const call = {
    method: 'POST',
    url: 'https://api.example/v1?key=zq',
    headers: { authorization: 'zq', accept: 'zq' },
    body: { deep: ['zq'] },
    text: 'POST https://api.example/v1?key=zq',
    operation: 'create',
    destination: { address: '192.0.2.1', port: 443, class: 'public' },
  };

  it('keeps a statement’s shape', () => {
    expect(kept(statement, 'postgres')).toEqual({
      text: "SELECT '…'",
      parameters: ['…', null, { value: '…', type: 'text', format: 'text' }, { value: null, type: 'int4' }],
      database: 'app',
      statements: [{ node: 'SelectStmt', reads: [{ schema: null, name: 'users' }], omitted: ['comment'] }],
      omitted: ['notes'],
    });
  });

  it('keeps a call’s method and address', () => {
    expect(kept(call, 'http')).toEqual({
      method: 'POST',
      url: 'https://api.example/v1?key=…',
      text: 'POST https://api.example/v1?key=…',
      operation: 'create',
      destination: { address: '192.0.2.1', port: 443, class: 'public' },
      omitted: ['headers', 'body'],
    });
  });

  it('lets no value through under any key that is not known to be harmless', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.string({ minLength: 1 }), (value, key) => {
        const action = {
          [key]: value,
          more: [{ [key]: 'zq-secret' }],
          text: `SELECT '${'zq-secret'}'`,
        } as Json;
        expect(JSON.stringify(kept(action, 'postgres'))).not.toContain('zq-secret');
      }),
    );
  });

  it('keeps all of it in full, except credentials', () => {
    expect(kept(statement, 'postgres', 'full')).toEqual(statement);
    expect(kept(call, 'http', 'full')).toEqual({ ...call, headers: { authorization: '…', accept: 'zq' } });
  });

  it('keeps none of it when told so', () => {
    expect(kept(statement, 'postgres', 'none')).toBeNull();
  });

  it('cuts at the bound, not before, and says so with a digest of the whole', () => {
    const edge = LIMITS.auditCapture - JSON.stringify({ text: '' }).length;
    const fits = { text: 'x'.repeat(edge) };
    expect(kept(fits, 'postgres', 'full')).toEqual(fits);
    const over = { text: 'x'.repeat(edge + 1), parameters: ['y'], database: 'app' };
    const cut = kept(over, 'postgres', 'full') as Record<string, Json>;
    expect(cut).toMatchObject({ cut: true, characters: JSON.stringify(over).length });
    expect(cut.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(String(cut.text).length).toBeLessThanOrEqual(LIMITS.auditCapture);
    expect(over.text.startsWith(String(cut.text))).toBe(true);
  });

  it('cuts between characters', () => {
    const { text } = kept({ text: '😀'.repeat(LIMITS.auditCapture) }, 'postgres', 'full') as { text: string };
    expect(/\p{Cs}/u.test(text)).toBe(false);
  });

  it('gives the same answer for a text that it remembers', () => {
    const capture = createCapturer('redacted');
    const texts = Array.from({ length: 2_500 }, (_, index) => ({ text: `SELECT c${index % 1_200} = 'zq'` }));
    for (const action of texts)
      expect(JSON.parse(capture(action, 'postgres'))).toEqual({ text: action.text.replace('zq', '…') });
  });
});
