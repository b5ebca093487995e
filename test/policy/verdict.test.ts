import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/core/limits.ts';
import { verdictOf } from '../../src/policy/verdict.ts';

const rule = { id: 'postgres.read', reason: 'an ordinary read', severity: 'info', controls: ['CC6.1'] };
const allow = { effect: 'allow', rules: [rule], requirements: [], message: 'Allowed.' };
const approvers = { groups: ['approvers'], quorum: 1 };

describe('verdictOf', () => {
  it('takes a decision as it is, with what it leaves out as null', () => {
    const verdict = verdictOf([{ result: allow }], 'r1');
    expect(verdict).toEqual({
      decision: { ...allow, expires: null, grant: null, limits: null, mask: null },
      revision: 'r1',
      failure: null,
    });
    expect(Object.isFrozen(verdict.decision.rules[0])).toBe(true);
  });

  it('takes a message of the size bound and none above it', () => {
    const saying = (length: number) =>
      verdictOf([{ result: { ...allow, message: 'x'.repeat(length) } }], 'r');
    expect(saying(LIMITS.policyText).failure).toBeNull();
    expect(saying(LIMITS.policyText + 1).failure).toBe('policy_malformed');
  });

  it('puts the gravest rule first', () => {
    const rules = ['low', 'critical', 'high'].map((severity) => ({ ...rule, id: severity, severity }));
    const { decision } = verdictOf([{ result: { ...allow, effect: 'deny', rules } }], 'r');
    expect(decision.rules.map(({ id }) => id)).toEqual(['critical', 'high', 'low']);
  });

  it.each([
    ['an empty result set', [], 'policy_undefined'],
    ['no result set', { result: allow }, 'policy_malformed'],
    ['a result without a decision', [{}], 'policy_malformed'],
    ['null', [null], 'policy_malformed'],
    ['true', [{ result: true }], 'policy_malformed'],
    ['two decisions', [{ result: allow }, { result: allow }], 'policy_malformed'],
    ['an unknown effect', [{ result: { ...allow, effect: 'permit' } }], 'policy_malformed'],
    ['no rules', [{ result: { ...allow, rules: [] } }], 'policy_malformed'],
    ['an unknown key', [{ result: { ...allow, effects: 'deny' } }], 'policy_malformed'],
    ['an empty message', [{ result: { ...allow, message: '' } }], 'policy_malformed'],
    ['a hold that nobody can approve', [{ result: { ...allow, effect: 'hold' } }], 'policy_malformed'],
    [
      'a hold by no group',
      [{ result: { ...allow, effect: 'hold', requirements: [{ groups: [], quorum: 1 }] } }],
      'policy_malformed',
    ],
    [
      'a quorum of none',
      [{ result: { ...allow, effect: 'hold', requirements: [{ groups: ['a'], quorum: 0 }] } }],
      'policy_malformed',
    ],
    [
      'an allow that asks somebody',
      [{ result: { ...allow, requirements: [approvers] } }],
      'policy_malformed',
    ],
    ['an expiry that is no duration', [{ result: { ...allow, expires: 'soon' } }], 'policy_malformed'],
    ['a limit', [{ result: { ...allow, limits: { rows: 1, on_exceed: 'cut' } } }], 'policy_obligation'],
    ['a mask, even an empty one', [{ result: { ...allow, mask: [] } }], 'policy_obligation'],
  ])('denies %s', (_what, results, failure) => {
    const verdict = verdictOf(results, 'r');
    expect(verdict.failure).toBe(failure);
    expect(verdict.decision.effect).toBe('deny');
  });

  it('takes a hold with its requirements, expiry and grant', () => {
    const grant = { scope: 'shape', max_ttl: '30m', max_uses: 10 };
    const hold = { ...allow, effect: 'hold', requirements: [approvers], expires: '15m', grant };
    expect(verdictOf([{ result: hold }], 'r').decision).toMatchObject({
      effect: 'hold',
      expires: '15m',
      grant,
    });
  });

  it('denies whatever else a policy may answer', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('bare', 'result', 'merged'), (value, where) => {
        const results =
          where === 'bare'
            ? value
            : [{ result: where === 'result' ? value : { ...allow, effect: value, message: value } }];
        fc.pre(JSON.stringify(results) !== JSON.stringify([{ result: allow }]));
        const { decision } = verdictOf(results, 'r');
        expect(decision.effect).toBe('deny');
      }),
    );
  });
});
