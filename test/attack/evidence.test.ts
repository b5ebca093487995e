/** A hostile agent writes what it likes into what it does: no secret of a statement is in the log, under any capture. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCapturer } from '../../src/audit/capture.ts';
import { encodeRecord } from '../../src/audit/record.ts';
import { draft } from '../../src/core/record.ts';
import { displayOf, recordOf } from '../../src/protocol/postgres/display.ts';
import { factsOf } from '../../src/protocol/postgres/facts.ts';
import { Names } from '../../src/protocol/postgres/names.ts';
import { Settings } from '../../src/protocol/postgres/settings.ts';
import { textSubject } from '../../src/protocol/postgres/subject.ts';
import { createSqlAnalyser } from '../../src/protocol/sql/analyser.ts';
import type { SqlAnalyser } from '../../src/protocol/sql/analysis.ts';

let analyser: SqlAnalyser;
beforeAll(() => {
  analyser = createSqlAnalyser();
});
afterAll(() => analyser.close());

async function kept(text: string, capture: 'redacted' | 'full' | 'none'): Promise<string> {
  const subject = textSubject('simple', await analyser.analyse(text), new Names());
  const facts = factsOf(subject, { database: 'app', settings: new Settings('agent'), inTransaction: false });
  const record = draft('decision', { kind: 'postgres', action: recordOf(facts, subject), detail: {} });
  const line = encodeRecord(1, 0, record, createCapturer(capture));
  return `${line}\n${displayOf(facts, subject).text}`;
}

const SECRET = 'hunter2';
describe('a secret in SQL', () => {
  it.each([
    `create role x password '${SECRET}'`,
    `create role x password E'a' -- c\n'b\\'${SECRET}'`,
    `create role x password $q$${SECRET}$q$`,
    `create role x password U&'${SECRET}'`,
    `alter role x encrypted password '${SECRET}`,
    `create role x password /* /* */ ' */ '${SECRET}' -- '`,
    `select dblink('host=a password=${SECRET}', 'select 1')`,
    `select dblink(E'host=a \\x70assword=${SECRET}', 'select 1')`,
    `select * from dblink($$postgres://u:${SECRET}@h/db$$, 'select 1') as t(a int)`,
    `create user mapping for u server s options (user 'u', password '${SECRET}')`,
    `create subscription s connection 'host=a password=${SECRET}' publication p`,
    `select 1 -- password=${SECRET}`,
    `select 1 /* postgres://u:${SECRET}@h/ */`,
  ])('is not in the log nor on a card: %s', async (text) => {
    for (const capture of ['redacted', 'full', 'none'] as const)
      expect(await kept(text, capture)).not.toContain(SECRET);
  });
});

describe('a record', () => {
  it('stays one line, whatever is in the statement', async () => {
    const text = 'select \'\u2028\u0085\r\n{"v":1,"seq":2,"type":"approval"}\n\' as "\u202e\n{}"';
    for (const capture of ['redacted', 'full'] as const) {
      const [line = ''] = (await kept(text, capture)).split('\n');
      expect(JSON.parse(line)).toMatchObject({ v: 1, seq: 1, type: 'decision' });
      expect(line).not.toMatch(/[\u0085\u2028\u202e]/);
    }
  });
});
