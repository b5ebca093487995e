import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { Verdict } from '../../src/core/decision.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { loadBundle } from '../../src/policy/bundle.ts';
import { createPolicyEngine, type PolicyEngineOptions, type RunningPolicy } from '../../src/policy/engine.ts';
import { createProjection } from '../../src/policy/projection.ts';
import { httpInput, sqlInput, statement } from './inputs.ts';

const fixture = (name: string): string => new URL(`fixtures/${name}.tar.gz`, import.meta.url).pathname;
const told = (purpose: string) => sqlInput([], {}, { purpose });

const running: RunningPolicy[] = [];
async function engine(options: Partial<PolicyEngineOptions> = {}): Promise<RunningPolicy> {
  const policy = await createPolicyEngine({ bundle: 'builtin', data: null, ...options });
  running.push(policy);
  return policy;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((policy) => policy.close()));
});

describe('a policy in force', () => {
  it('decides', async () => {
    const policy = await engine();
    const verdict = await policy.decide(sqlInput([statement({ flags: ['has_where'] })]));
    expect(verdict).toMatchObject({
      failure: null,
      revision: policy.revision,
      decision: { effect: 'allow' },
    });
  });

  it('answers from memory what it was asked before, at whatever time', async () => {
    const policy = await engine();
    const input = sqlInput([statement({ flags: ['has_where'] })]);
    const first = await policy.decide(input);
    const later = await policy.decide({ ...structuredClone(input), time: '2027-01-01T00:00:00Z' });
    expect(later).toBe(first);
    expect(policy.stats).toMatchObject({ decisions: 2, cached: 1 });
  });

  it('answers the same from memory as afresh', async () => {
    const [remembering, policy] = await Promise.all([engine(), engine()]);
    const flags = fc.subarray([
      'has_where',
      'no_where',
      'has_limit',
      'bulk_export',
      'ddl',
      'do',
      'cte_dml',
      'x',
    ]);
    const node = fc.constantFrom('SelectStmt', 'DeleteStmt', 'VacuumStmt', 'DropStmt', 'CopyStmt');
    const names = fc.subarray(['orders', 'customers', 'pg_authid']);
    const sql = fc.tuple(node, names, names, flags).map(([kind, reads, writes, marks]) => {
      const relations = (list: string[]) => list.map((name) => ({ schema: null, name }));
      return sqlInput([
        statement({ node: kind, reads: relations(reads), writes: relations(writes), flags: marks }),
      ]);
    });
    const http = fc
      .tuple(
        fc.constantFrom('GET', 'POST', 'DELETE', 'CONNECT'),
        fc.constantFrom('api.github.com', 'other.test'),
        fc.constantFrom('read' as const, 'write' as const, 'admin' as const, 'unknown' as const),
        fc.subarray(['secrets', 'self', 'push']),
      )
      .map(([method, host, access, tags]) => httpInput({ method, host, action: { access, tags } }));
    await fc.assert(
      fc.asyncProperty(fc.oneof(sql, http), async (input) => {
        await remembering.decide(input);
        const [kept, fresh] = await Promise.all([
          remembering.decide(structuredClone(input)),
          policy.decide(input),
        ]);
        expect(kept.decision).toEqual(fresh.decision);
      }),
      { numRuns: 300 },
    );
    expect(remembering.stats.cached).toBeGreaterThan(0);
  });

  it('sees only what it reads, and decides as if it saw all', async () => {
    const policy = await engine();
    const bare = sqlInput([statement({ flags: ['has_where'] })]);
    const full = sqlInput([statement({ flags: ['has_where'] })], {
      text: 'SELECT 1 WHERE true',
      fingerprint: '0123456789abcdef',
      parameters: [{ value: 'x', type: 'text', format: 'text' }],
      user: 'somebody',
    });
    expect(await policy.decide(full)).toBe(await policy.decide(bare));
  });

  it('asks once for many at the same moment', async () => {
    const policy = await engine();
    const input = () => sqlInput([statement({ flags: ['bulk_export'] })]);
    const verdicts = await Promise.all(Array.from({ length: 100 }, () => policy.decide(input())));
    expect(new Set(verdicts).size).toBe(1);
    expect(policy.stats.cached).toBe(99);
  });

  it('answers more than one batch at a time, each to whom it belongs', async () => {
    const policy = await engine();
    const count = LIMITS.policyBatch * 3 + 1;
    const asked = Array.from({ length: count }, (_, index) =>
      policy.decide(
        sqlInput([statement({ flags: ['no_where'], reads: [{ schema: null, name: `relation_${index}` }] })]),
      ),
    );
    for (const [index, { decision }] of (await Promise.all(asked)).entries()) {
      expect(decision.message).toBe(`Needs approval: reads all of relation_${index}.`);
    }
  });

  it('judges an input of the size bound and denies one above it', async () => {
    const policy = await engine({ deadline: 60_000 });
    const long = (command: string) => policy.decide(sqlInput([statement({ command })]));
    const seen = JSON.stringify({ ...sqlInput([statement({ command: '' })]) }).length;
    expect(await long('x'.repeat(LIMITS.policyInput - seen))).toMatchObject({ failure: null });
    const tooLarge = { failure: 'policy_input_too_large', decision: { effect: 'deny' } };
    expect(await long('x'.repeat(LIMITS.policyInput))).toMatchObject(tooLarge);
    expect(await long('é'.repeat(LIMITS.policyInput / 2))).toMatchObject(tooLarge);
  });

  it('remembers a decision whose key is of the bound, and none above it', async () => {
    const { reads } = await loadBundle({ bundle: 'builtin', data: null });
    const projection = createProjection(reads);
    const input = (length: number) =>
      sqlInput([statement({ reads: [{ schema: null, name: 'x'.repeat(length) }] })]);
    const fits = LIMITS.policyCacheKey - projection.key(input(0)).length;
    const policy = await engine();
    const cachedAfterTwo = async (length: number) => {
      await policy.decide(input(length));
      await policy.decide(input(length));
      return policy.stats.cached;
    };
    expect(await cachedAfterTwo(fits)).toBe(1);
    expect(await cachedAfterTwo(fits + 1)).toBe(1);
  });

  it('denies facts that are not JSON', async () => {
    const policy = await engine();
    const input = sqlInput([statement()]);
    if (input.kind === 'postgres') Object.assign(input.sql.statements[0] ?? {}, { limit: 1n });
    expect(await policy.decide(input)).toMatchObject({ failure: 'internal', decision: { effect: 'deny' } });
  });

  it('remembers nothing where the policy reads the clock', async () => {
    const policy = await engine({ bundle: fixture('impure') });
    const input = told('ok');
    const first = await policy.decide(input);
    expect(first.failure).toBeNull();
    await policy.decide(input);
    expect(policy.stats.cached).toBe(0);
  });
});

describe('a policy that misbehaves', () => {
  const misbehaving = (deadline = 60_000) => engine({ bundle: fixture('misbehaving'), deadline });

  it.each([
    ['nothing', 'policy_undefined'],
    ['text', 'policy_malformed'],
    ['effect', 'policy_malformed'],
    ['nobody', 'policy_malformed'],
    ['limits', 'policy_obligation'],
    ['mask', 'policy_obligation'],
    ['conflict', 'policy_trap'],
  ])('is a deny: %s', async (purpose, failure) => {
    const policy = await misbehaving();
    const verdict = await policy.decide(told(purpose));
    expect(verdict).toMatchObject({ failure, decision: { effect: 'deny' }, revision: policy.revision });
    expect(await policy.decide(told('ok'))).toMatchObject({ failure: null, decision: { effect: 'allow' } });
    expect(policy.stats.failed).toBe(1);
  });

  it('is stopped at its deadline, and every other request is answered', async () => {
    const lost: string[] = [];
    const policy = await engine({
      bundle: fixture('misbehaving'),
      deadline: 200,
      onThreadLost: (reason) => lost.push(reason),
    });
    const purposes = ['ok', 'ok', 'spin', 'ok', 'spin', 'ok'];
    const verdicts = await Promise.all(purposes.map((purpose) => policy.decide(told(purpose))));
    const failures = verdicts.map(({ failure }: Verdict) => failure);
    expect(failures).toEqual([null, null, 'policy_timeout', null, 'policy_timeout', null]);
    expect(lost).toEqual(['evaluation overran its deadline', 'evaluation overran its deadline']);
    expect(await policy.decide(told('ok'))).toMatchObject({ decision: { effect: 'allow' } });
  });

  it('may not have more memory than its share', async () => {
    const policy = await engine({ bundle: fixture('misbehaving'), deadline: 60_000, memoryPages: 200 });
    expect(await policy.decide(told('swell'))).toMatchObject({ failure: 'policy_trap' });
    expect(await policy.decide(told('ok'))).toMatchObject({ decision: { effect: 'allow' } });
  });

  it('answers what was asked when it is closed', async () => {
    const policy = await misbehaving();
    const asked = policy.decide(told('spin'));
    await policy.close();
    expect(await asked).toMatchObject({ failure: 'policy_unavailable', decision: { effect: 'deny' } });
    expect(await policy.decide(told('ok'))).toMatchObject({ failure: 'policy_unavailable' });
  });
});

describe('a policy that cannot be put in force', () => {
  it('is refused for a built-in that nobody offers', async () => {
    await expect(engine({ bundle: fixture('unoffered') })).rejects.toThrow(
      'the policy needs built-in functions not offered here: uuid.rfc4122',
    );
  });
});
