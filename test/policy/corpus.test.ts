/** The corpora against the default policy, on the facts that they expect: what policy does must not depend on luck. */

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ActionFacts } from '../../src/core/facts.ts';
import { createPolicyEngine, type RunningPolicy } from '../../src/policy/engine.ts';
import { httpInput, sqlInput, statement } from './inputs.ts';

interface SqlCase {
  readonly id: string;
  readonly expect_facts: { kinds: string[]; reads: string[]; writes: string[]; flags: string[] };
  readonly parse_ok: boolean | null;
}

interface HttpCase {
  readonly id: string;
  readonly method: string;
  readonly url: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
  readonly expect: { action: ActionFacts; sensitive: boolean };
}

const read = <Case>(name: string): Case[] =>
  readFileSync(new URL(`../corpus/${name}`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

/** Never let through unasked, whatever else is said. */
const NEVER = [
  'bulk_export',
  'privilege',
  'fn_file',
  'fn_remote_sql',
  'copy_program',
  'copy_file',
  'do',
  'hidden_sql',
  'lexer_change',
  'encoding_change',
  'replication',
];

const relation = (text: string) => {
  const [name = '', schema = null] = text.split('.').reverse();
  return { schema, name };
};

describe('the default policy on the corpus', () => {
  let policy: RunningPolicy;
  beforeAll(async () => {
    policy = await createPolicyEngine({
      bundle: 'builtin',
      data: new URL('known-hosts.yaml', import.meta.url).pathname,
    });
  });
  afterAll(() => policy.close());

  const effectOf = async (input: Parameters<RunningPolicy['decide']>[0]): Promise<string> => {
    const { decision, failure } = await policy.decide(input);
    expect(failure).toBeNull();
    return decision.effect;
  };

  const flagged = read<SqlCase>('sql.jsonl').filter(({ expect_facts: { flags } }) =>
    flags.some((flag) => NEVER.includes(flag)),
  );

  it.each(flagged.map((one) => [one.id, one] as const))(
    'asks or refuses %s',
    async (_id, { expect_facts: facts }) => {
      const [node = '', ...nested] = facts.kinds;
      const one = statement({
        node,
        nested,
        reads: facts.reads.map(relation),
        writes: facts.writes.map(relation),
        flags: facts.flags,
      });
      expect(await effectOf(sqlInput([one]))).not.toBe('allow');
    },
  );

  it('asks for each of those flags, on whatever statement it stands', async () => {
    const nodes = ['SelectStmt', 'InsertStmt', 'UpdateStmt', 'VariableSetStmt', 'ExplainStmt', 'Invented'];
    const harmless = ['has_where', 'has_limit', 'explain_only', 'aggregate_only', 'fn_benign', 'multi'];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...NEVER),
        fc.constantFrom(...nodes),
        fc.subarray(harmless),
        fc.constantFrom('statement', 'text'),
        async (flag, node, more, where) => {
          const flags = where === 'statement' ? [flag, ...more] : more;
          const one = statement({ node, flags, limit: 1, settings: ['application_name'] });
          expect(await effectOf(sqlInput([one], { flags: [flag, ...more] }))).not.toBe('allow');
        },
      ),
    );
  });

  it('asks for any flag that is not known', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1, maxLength: 20 }), async (flag) => {
        expect(await effectOf(sqlInput([statement({ flags: [`x_${flag}`] })]))).not.toBe('allow');
      }),
    );
  });

  it.each(read<HttpCase>('http.jsonl').map((one) => [one.id, one] as const))(
    'judges %s as it should be',
    async (_id, { method, url, headers = {}, body, expect: { action, sensitive } }) => {
      const { hostname } = new URL(url);
      const effect = await effectOf(
        httpInput({
          method,
          host: hostname,
          action,
          body:
            body !== undefined && headers['content-type'] === 'application/json' ? JSON.parse(body) : null,
        }),
      );
      if (sensitive) expect(effect).not.toBe('allow');
      else expect(effect).toBe('allow');
    },
  );
});
