/** Decoding, settings, parameters, digests and redaction, case by case. */

import { serialize } from 'pg-protocol';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { withoutSecrets } from '../../../src/core/sql-secrets.ts';
import { fingerprintOf } from '../../../src/protocol/postgres/digest.ts';
import { FrontendFramer } from '../../../src/protocol/postgres/framer.ts';
import { decodeFrontend, type FrontendMessage } from '../../../src/protocol/postgres/frontend.ts';
import { lockedRefusal } from '../../../src/protocol/postgres/lock.ts';
import { parameterFacts } from '../../../src/protocol/postgres/parameters.ts';
import { rowsOfTag } from '../../../src/protocol/postgres/run.ts';
import { Settings } from '../../../src/protocol/postgres/settings.ts';
import type { Subject } from '../../../src/protocol/postgres/subject.ts';
import type { AnalysedStatement, SessionEffect, SqlAnalysis } from '../../../src/protocol/sql/analysis.ts';
import { int16, int32, message } from './bytes.ts';

function decoded(octets: Buffer): FrontendMessage {
  const [frame] = new FrontendFramer().push(octets);
  if (!frame) throw new Error('not a whole message');
  return decodeFrontend(frame);
}

function statement(effects: SessionEffect[], flags: string[] = []): AnalysedStatement {
  const facts = {
    node: 'N',
    nested: [],
    command: 'C',
    reads: [],
    writes: [],
    functions: [],
    limit: null,
    flags,
  };
  return { facts, effects, parameters: 0, limitParameter: null, bulkForWantOfLimit: false, ctes: [] };
}

describe('a client’s message', () => {
  it('is decoded as pg-protocol encodes it', () => {
    expect(decoded(serialize.query('select é'))).toEqual({ kind: 'query', text: 'select é', valid: true });
    expect(decoded(serialize.parse({ name: 'n', text: 'select $1', types: [23, 0] }))).toEqual({
      kind: 'parse',
      name: 'n',
      text: 'select $1',
      valid: true,
      types: [23, 0],
    });
    expect(
      decoded(serialize.bind({ portal: 'p', statement: 's', values: ['a', null, Buffer.from([1])] })),
    ).toEqual({
      kind: 'bind',
      portal: 'p',
      statement: 's',
      values: [
        { octets: Buffer.from('a'), binary: false },
        { octets: null, binary: false },
        { octets: Buffer.from([1]), binary: true },
      ],
    });
    expect(decoded(serialize.execute({ portal: 'p', rows: 5 }))).toEqual({
      kind: 'execute',
      portal: 'p',
      maxRows: 5,
    });
    expect(decoded(serialize.describe({ type: 'S', name: 's' }))).toEqual({
      kind: 'describe',
      of: 'statement',
      name: 's',
    });
    expect(decoded(serialize.close({ type: 'P', name: '' }))).toEqual({
      kind: 'close',
      of: 'portal',
      name: '',
    });
  });

  it('may carry 65,535 parameters, with one format for all', () => {
    const count = 65_535;
    const values = Buffer.concat(
      Array.from({ length: count }, () => Buffer.concat([int32(1), Buffer.from('7')])),
    );
    const body = Buffer.concat([Buffer.from('\0\0'), int16(1), int16(1), int16(count), values, int16(0)]);
    const bind = decoded(message('B', body));
    expect(bind.kind === 'bind' && bind.values.length).toBe(count);
    expect(bind.kind === 'bind' && bind.values.every(({ binary }) => binary)).toBe(true);
  });

  it('keeps a byte order mark and a NUL, and says when it is not UTF-8', () => {
    expect(decoded(message('Q', '\ufeffselect 1\0'))).toMatchObject({ text: '\ufeffselect 1' });
    expect(decoded(message('Q', 'select 1\0; drop table x\0'))).toMatchObject({
      text: 'select 1\0; drop table x',
    });
    const sjis = Buffer.concat([Buffer.from("select E'"), Buffer.from([0x95, 0x5c]), Buffer.from("'\0")]);
    expect(decoded(message('Q', sjis))).toMatchObject({ valid: false });
  });

  it.each([
    ['a Query without its end', message('Q', 'select 1')],
    ['an empty Query', message('Q')],
    ['a Sync with a body', message('S', 'x')],
    ['a Flush with a body', message('H', 'x')],
    ['a Parse that is too short', message('P', 'n\0select 1\0')],
    [
      'a Parse with more than its types',
      message('P', Buffer.concat([Buffer.from('\0\0'), int16(0), int16(0)])),
    ],
    [
      'a Bind with a value that reaches out of it',
      message('B', Buffer.concat([Buffer.from('\0\0'), int16(0), int16(1), int32(9)])),
    ],
    [
      'a Bind with a value of negative length',
      message('B', Buffer.concat([Buffer.from('\0\0'), int16(0), int16(1), int32(-2)])),
    ],
    [
      'a Bind with formats that do not fit',
      message('B', Buffer.concat([Buffer.from('\0\0'), int16(2), int16(0), int16(0), int16(0), int16(0)])),
    ],
    [
      'a Bind with a format that is none',
      message('B', Buffer.concat([Buffer.from('\0\0'), int16(1), int16(2), int16(0), int16(0)])),
    ],
    ['a Describe of neither', message('D', 'Xs\0')],
    ['a name that is not UTF-8', message('E', Buffer.concat([Buffer.from([0xff, 0]), int32(0)]))],
    ['CopyData where a statement should be', message('c')],
  ])('is refused: %s', (_name, octets) => {
    expect(() => decoded(octets)).toThrow();
  });
});

describe('bound values', () => {
  const binary = (hex: string, type: number): string | null =>
    parameterFacts([{ octets: Buffer.from(hex, 'hex'), binary: true }], [type]).facts[0]?.value ?? null;

  it.each([
    ['01', 16, 'true'],
    ['fffe', 21, '-2'],
    ['0000004d', 23, '77'],
    ['ffffffffffffffff', 20, '-1'],
    ['40490fdb', 700, String(Math.fround(Math.PI))],
    ['c3a9', 25, 'é'],
    ['017b7d', 3802, '{}'],
    ['00112233445566778899aabbccddeeff', 2950, '00112233-4455-6677-8899-aabbccddeeff'],
    ['00000001', 1082, '2000-01-02'],
    ['00000000000f4240', 1184, '2000-01-01T00:00:01.000Z'],
    ['7fffffffffffffff', 1114, '\\x7fffffffffffffff'],
    ['00', 23, '\\x00'],
    ['deadbeef', 17, '\\xdeadbeef'],
    ['ff', 25, '\\xff'],
    ['00', 99999, '\\x00'],
  ])('in binary %s of type %i are %s', (hex, type, text) => {
    expect(binary(hex, type)).toBe(text);
  });

  it('are text as they come, NULL as null, and of unknown type where nobody said', () => {
    expect(
      parameterFacts(
        [
          { octets: Buffer.from('é'), binary: false },
          { octets: null, binary: false },
        ],
        [],
      ).facts,
    ).toEqual([
      { value: 'é', type: 'unknown', format: 'text' },
      { value: null, type: 'unknown', format: 'text' },
    ]);
  });

  it('are cut at their bounds, each and all, and say so', () => {
    const long = (length: number) => ({ octets: Buffer.alloc(length, 'x'), binary: false });
    const exact = parameterFacts([long(LIMITS.pgParameterText)], [25]);
    expect([exact.facts[0]?.value?.length, exact.truncated]).toEqual([LIMITS.pgParameterText, false]);
    const over = parameterFacts([long(LIMITS.pgParameterText + 1)], [25]);
    expect([over.facts[0]?.value?.length, over.truncated]).toEqual([LIMITS.pgParameterText, true]);
    const many = Array.from({ length: LIMITS.pgParametersText / LIMITS.pgParameterText }, () =>
      long(LIMITS.pgParameterText),
    );
    expect(parameterFacts(many, []).truncated).toBe(false);
    expect(parameterFacts([...many, long(1)], []).truncated).toBe(true);
    expect(
      parameterFacts([{ octets: Buffer.alloc(LIMITS.pgParameterText, 1), binary: true }], [17]).truncated,
    ).toBe(true);
  });
});

describe('the session’s settings', () => {
  const set = (name: string, value: string[] | null, local = false): AnalysedStatement =>
    statement([{ kind: 'set', name, value, local }]);

  it('follow SET, SET LOCAL, RESET, commit and rollback', () => {
    const settings = new Settings('ann');
    settings.report('search_path', '"$user", public');
    settings.opened();
    expect([settings.user, settings.role, settings.searchPath, settings.known]).toEqual([
      'ann',
      'ann',
      ['ann', 'public'],
      true,
    ]);
    settings.apply(set('role', ['bob']));
    settings.commit();
    settings.apply(set('role', ['carl'], true));
    expect(settings.role).toBe('carl');
    settings.commit();
    expect(settings.role).toBe('bob');
    settings.apply(set('role', null));
    expect(settings.role).toBe('ann');
    settings.rollback();
    expect(settings.role).toBe('bob');
    settings.apply(set('session_authorization', ['dora']));
    expect([settings.user, settings.role]).toEqual(['dora', 'dora']);
    settings.apply(statement([{ kind: 'discard', what: 'all' }]));
    expect([settings.user, settings.role]).toEqual(['ann', 'ann']);
  });

  it('are unknown where the text does not show them', () => {
    const cases: AnalysedStatement[] = [
      set('role', []),
      set('?', ['x']),
      statement([], ['do']),
      statement([], ['set_role']),
      statement([], ['opaque']),
    ];
    for (const one of cases) {
      const settings = new Settings('ann');
      settings.report('search_path', 'public');
      settings.apply(one);
      expect(settings.known).toBe(false);
    }
    const rolledBack = new Settings('ann');
    rolledBack.report('search_path', 'public');
    rolledBack.opened();
    rolledBack.apply(statement([{ kind: 'transaction', what: 'rollback_to' }]));
    expect(rolledBack.known).toBe(true);
    rolledBack.apply(set('role', ['bob']));
    rolledBack.apply(statement([{ kind: 'transaction', what: 'rollback_to' }]));
    expect(rolledBack.known).toBe(false);
  });

  it.each([
    ['public', ['public']],
    ['"$user", public', ['ann', 'public']],
    ['"a,b", "c""d", E', ['a,b', 'c"d', 'e']],
    ['', []],
    ['""', []],
  ])('read a search_path of %s', (text, path) => {
    const settings = new Settings('ann');
    settings.report('search_path', text);
    expect(settings.searchPath).toEqual(path);
  });
});

describe('what is locked', () => {
  const analysis = (one: AnalysedStatement): SqlAnalysis => ({
    text: '',
    fingerprint: '',
    statements: [one],
    flags: one.facts.flags,
    error: null,
  });
  const setting = (name: string, value: string[] | null): SessionEffect => ({
    kind: 'set',
    name,
    value,
    local: false,
  });

  it.each([
    ['client_encoding', ['UTF8'], false],
    ['client_encoding', ['utf-8'], false],
    ['client_encoding', ['SJIS'], true],
    ['client_encoding', null, true],
    ['client_encoding', [], true],
    ['standard_conforming_strings', ['on'], false],
    ['standard_conforming_strings', ['off'], true],
    ['?', ['x'], true],
    ['search_path', ['x'], false],
  ] as const)('SET %s = %s: %s', (name, value, locked) => {
    expect(lockedRefusal(analysis(statement([setting(name, value && [...value])]))) !== null).toBe(locked);
  });

  it('is also what carries a flag without an effect that explains it', () => {
    expect(lockedRefusal(analysis(statement([], ['encoding_change'])))).not.toBeNull();
    expect(
      lockedRefusal(analysis(statement([setting('backslash_quote', ['on'])], ['lexer_change']))),
    ).not.toBeNull();
    expect(
      lockedRefusal(analysis(statement([setting('client_encoding', ['UTF8'])], ['encoding_change']))),
    ).toBeNull();
  });
});

describe('the digest', () => {
  const settings = (searchPath = 'public', login = 'ann'): Settings => {
    const one = new Settings(login);
    one.report('search_path', searchPath);
    return one;
  };
  const meaning = {
    text: 'select $1',
    fingerprint: '0123456789abcdef',
    statements: [],
    flags: [],
    error: null,
    resolved: [],
  };
  const value = { octets: Buffer.from('1'), binary: false };
  const subject: Subject = { protocol: 'extended', meaning, values: [value], types: [23], limited: false };
  const exact = (one: Subject, database = 'app', session = settings()): string =>
    fingerprintOf(one, { database, settings: session, inTransaction: false }).exact;

  it('is another for everything that changes what runs', () => {
    const others = [
      exact({ ...subject, meaning: { ...meaning, text: 'select $1 ' } }),
      exact({ ...subject, meaning: { ...meaning, resolved: ['x'] } }),
      exact({ ...subject, values: [{ ...value, octets: Buffer.from('2') }] }),
      exact({ ...subject, values: [{ ...value, octets: null }] }),
      exact({ ...subject, values: [{ ...value, octets: Buffer.alloc(0) }] }),
      exact({ ...subject, values: [{ ...value, binary: true }] }),
      exact({ ...subject, values: [value, value] }),
      exact({ ...subject, types: [20] }),
      exact(subject, 'other'),
      exact(subject, 'app', settings('a')),
      exact(subject, 'app', settings('a, b')),
      exact(subject, 'app', settings('public', 'bob')),
    ];
    expect(new Set([exact(subject), ...others]).size).toBe(others.length + 1);
  });

  it('is the same for how the rows are asked for', () => {
    expect(exact({ ...subject, limited: true })).toBe(exact(subject));
    expect(exact({ ...subject, protocol: 'simple' })).toBe(exact(subject));
  });
});

describe('shown text', () => {
  it.each([
    ["create role x password 'hunter2' login", "create role x password '…' login"],
    ["alter user x with encrypted password E'hun\\'ter2'", "alter user x with encrypted password '…'"],
    ["options (user 'u', password 'p')", "options (user 'u', password '…')"],
    ["select dblink('host=x password=p', 'select 1')", "select dblink('…', 'select 1')"],
    ["select 'https://u:p@host/'", "select '…'"],
    ['alter role x set a.api_key = $$k$$', "alter role x set a.api_key = '…'"],
    ["select password from t where name = 'x'", "select password from t where name = 'x'"],
    ["create role x password E'a' -- c\n'b\\'secret'", "create role x password '…'"],
    ["create role x password /* /* */ ' */ 'secret' -- '", "create role x password /* /* */ ' */ '…' -- '"],
    ["select dblink(U&'host=x \\0070assword=p')", "select dblink('…')"],
    ["select dblink(E'host=x \\x70assword=p')", "select dblink('…')"],
    ["alter role x password 'open", "alter role x password '…'"],
    ['select 1 -- password=hunter2', 'select 1 /*…*/'],
    ["-- password 'x'\nselect 'y'", "-- password 'x'\nselect 'y'"],
  ])('hides secrets of %s', (text, shown) => {
    expect(withoutSecrets(text)).toBe(shown);
  });

  // In quadratic time each of these would take minutes, and the test its whole allowance.
  it.each(["'://a:", '/*', '$a$', "U&'\\", '((', '--'])('takes linear time on %j again and again', (part) => {
    const text = `select '${part.repeat(600_000 / part.length)}`;
    expect(withoutSecrets(text).length).toBeGreaterThan(0);
  });
});

describe('a command tag', () => {
  it.each([
    ['SELECT 5', 5],
    ['INSERT 0 3', 3],
    ['COPY 7', 7],
    ['SELECT INTO 2', 2],
    ['CREATE TABLE', null],
    ['BEGIN', null],
  ])('%s tells of %s rows', (tag, rows) => {
    expect(rowsOfTag(tag)).toBe(rows);
  });
});
