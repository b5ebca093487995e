/** The published schemas say what the facts and the decision are, no less and no more. */

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { run } from '../../policies/tools/opa.mjs';
import type { PolicyInput } from '../../src/core/facts.ts';
import { createPolicyEngine } from '../../src/policy/engine.ts';
import { WARM_UP } from '../../src/policy/warm-up.ts';
import { httpInput, sqlInput, statement } from './inputs.ts';
import { opa } from './opa.ts';

const POLICIES = new URL('../../policies/', import.meta.url).pathname;
const schemaOf = (name: string) =>
  z.fromJSONSchema(JSON.parse(readFileSync(join(POLICIES, 'schema', `${name}.json`), 'utf8')));

describe('the schema of the input', () => {
  const schema = schemaOf('input');

  const full = sqlInput(
    [
      statement({
        nested: ['DeleteStmt'],
        reads: [{ schema: null, name: 'users' }],
        writes: [{ schema: 'public', name: 'users' }],
        functions: [{ schema: null, name: 'lower' }],
        limit: 5,
        flags: ['no_where'],
        settings: ['application_name'],
      }),
    ],
    {
      parameters: [{ value: null, type: 'int4', format: 'binary' }],
      estimate: { rows: 120_000, cost: 4821.5 },
      resolved: [{ schema: 'public', name: 'users', kind: 'table' }],
    },
  );

  it.each<[string, PolicyInput]>([
    ['a statement', sqlInput([statement()])],
    ['a statement with everything', full],
    ['a text that does not parse', sqlInput([], { parsed: false, error: 'syntax error' })],
    ['a call', httpInput({})],
    ['a call with a body', httpInput({ method: 'POST', body: { a: [1, null, { b: true }] } })],
    ...WARM_UP.map((input): [string, PolicyInput] => [`the warm-up of ${input.kind}`, input]),
  ])('takes %s', (_what, input) => {
    expect(schema.safeParse(JSON.parse(JSON.stringify(input))).error).toBeUndefined();
  });

  it.each([
    ['an unknown key', { ...full, extra: 1 }],
    ['an unknown key deep in it', { ...full, agent: { ...full.agent, name: 'x' } }],
    ['a kind that is none', { ...full, kind: 'smtp' }],
    ['no agent', { ...full, agent: undefined }],
  ])('refuses %s', (_what, input) => {
    expect(schema.safeParse(JSON.parse(JSON.stringify(input))).success).toBe(false);
  });

  it.skipIf(opa === null)('catches a path that is spelt wrong', () => {
    const directory = mkdtempSync(join(tmpdir(), 'holdpoint-schema-'));
    try {
      const file = join(directory, 'pack.rego');
      const check = (path: string) => {
        writeFileSync(file, `package holdpoint.postgres.mine\n\nhold contains "x" if ${path}\n`);
        return run(opa ?? '', [
          'check',
          '--strict',
          '--schema',
          join(POLICIES, 'schema', 'input.json'),
          file,
        ]);
      };
      expect(() => check('input.sql.in_transaction')).not.toThrow();
      expect(() => check('input.sql.in_transacton')).toThrow(
        /pack\.rego:3: .*undefined ref: input\.sql\.in_transacton/,
      );
      expect(() => check('input.sql.statements[_].flag')).toThrow(/undefined ref/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe('the schema of the decision', () => {
  it('takes what the default policy answers', async () => {
    const schema = schemaOf('decision');
    const policy = await createPolicyEngine({ bundle: 'builtin', data: null });
    try {
      for (const flags of [['has_where'], ['bulk_export'], ['copy_program']]) {
        const { decision } = await policy.decide(sqlInput([statement({ flags })]));
        expect(schema.safeParse(decision).error).toBeUndefined();
        expect(schema.safeParse({ ...decision, effect: 'perhaps' }).success).toBe(false);
      }
    } finally {
      await policy.close();
    }
  });
});

describe.skipIf(opa === null)('the committed bundle', () => {
  const build = new URL('../../policies/build.mjs', import.meta.url).pathname;

  it('is of the sources beside it, which pass every check', { timeout: 120_000 }, () => {
    expect(run(process.execPath, [build, '--check'])).toMatch(/builtin\.tar\.gz is of these sources/);
  });

  it('takes another pack by its file alone, and refuses one that would not fire', {
    timeout: 120_000,
  }, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'holdpoint-packs-'));
    try {
      cpSync(POLICIES, directory, { recursive: true });
      const mine = join(directory, 'postgres', 'mine.rego');
      const out = join(directory, 'out.tar.gz');
      const metadata = (id: string) =>
        `# METADATA\n# title: Mine\n# custom:\n#   id: ${id}\n#   severity: low\n#   controls: [CC6.1]\n`;
      const pack = (rule: string) =>
        `# METADATA\n# title: Mine\npackage holdpoint.postgres.mine\n\nimport data.holdpoint.finding\n\n${rule}\n`;
      const make = () => run(process.execPath, [build, '--source', directory, '--out', out]);

      const rule =
        'hold contains finding.of(rego.metadata.rule(), "is in app") if input.sql.database == "app"';
      writeFileSync(mine, pack(`${metadata('mine.app')}${rule}`));
      expect(make).toThrow(/FAIL/);
      writeFileSync(mine, pack(`${metadata('mine.app')}${rule.replace('"app"', '"other"')}`));
      expect(make()).toContain('decides');
      const policy = await createPolicyEngine({ bundle: out, data: null });
      const { decision } = await policy.decide(sqlInput([statement()], { database: 'other' }));
      await policy.close();
      expect(decision.rules).toMatchObject([{ id: 'mine.app', severity: 'low', reason: 'is in app' }]);

      writeFileSync(mine, pack(rule));
      expect(make).toThrow(/mine\.rego:7: the rule has no METADATA with a title/);
      writeFileSync(
        mine,
        pack(`${metadata('mine.app')}${rule.replace('"is in app"', 'sprintf("%s", ["x"])')}`),
      );
      expect(make).toThrow(/sprintf|undefined function/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
