/** The compiled policy and `opa eval` of its sources give the same decision for the same case. */

import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Decision } from '../../src/core/decision.ts';
import { loadBundle } from '../../src/policy/bundle.ts';
import { createPolicyEngine, type RunningPolicy } from '../../src/policy/engine.ts';
import { type Call, httpInput, sqlInput, statement } from './inputs.ts';
import { evaluate, opa } from './opa.ts';

interface Case {
  readonly description: string;
  readonly sql?: { statements: Parameters<typeof statement>[0][]; more?: Parameters<typeof sqlInput>[1] };
  readonly http?: Call;
  readonly effect: Decision['effect'];
  /** Ids of the rules, in alphabetical order. */
  readonly rules: readonly string[];
}

const SOURCES = new URL('../../policies/', import.meta.url).pathname;
const cases: Case[] = ['sql', 'http'].flatMap((name) =>
  JSON.parse(readFileSync(new URL(`cases/${name}.json`, import.meta.url), 'utf8')),
);

const inputOf = ({ sql, http }: Case) =>
  sql ? sqlInput(sql.statements.map(statement), sql.more) : httpInput(http ?? {});

/** The bundle's own data over the sources, as `opa` reads it. */
async function sourcesWithData(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'holdpoint-agreement-'));
  for (const file of readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })) {
    if (file.endsWith('.rego') && !file.endsWith('_test.rego'))
      cpSync(join(SOURCES, file), join(directory, file));
  }
  const { data } = await loadBundle({ bundle: 'builtin', data: null });
  for (const [key, value] of Object.entries(JSON.parse(data))) {
    mkdirSync(join(directory, key), { recursive: true });
    writeFileSync(join(directory, key, 'data.json'), JSON.stringify(value));
  }
  return directory;
}

describe('the default policy, case by case', () => {
  let policy: RunningPolicy;
  let sources: string;
  beforeAll(async () => {
    policy = await createPolicyEngine({ bundle: 'builtin', data: null });
    sources = await sourcesWithData();
  });
  afterAll(async () => {
    await policy.close();
    rmSync(sources, { recursive: true });
  });

  it.each(cases)('$description', async (one) => {
    const { decision, failure } = await policy.decide(inputOf(one));
    expect(failure).toBeNull();
    expect(decision.effect).toBe(one.effect);
    expect(decision.rules.map(({ id }) => id).sort()).toEqual(one.rules);
  });

  it.skipIf(opa === null).each(cases)('agrees with opa eval: $description', async (one) => {
    const { decision } = await policy.decide(inputOf(one));
    const evaluated = evaluate('data.holdpoint.decision', {
      input: inputOf(one),
      bundle: sources,
    }) as Decision;
    const comparable = ({ rules, requirements, ...rest }: Decision) => ({
      ...rest,
      rules: [...rules].sort((a, b) => (`${a.id}${a.reason}` < `${b.id}${b.reason}` ? -1 : 1)),
      requirements: [...requirements].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    });
    expect(comparable(decision)).toEqual(comparable(evaluated));
  });
});
