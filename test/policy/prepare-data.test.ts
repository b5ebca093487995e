import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PolicyLoadError } from '../../src/policy/load-error.ts';
import { compile, overlayConfig, prepareData } from '../../src/policy/prepare-data.ts';

const base = {
  default_effect: 'hold',
  hosts: { known: ['a.test'], denied: ['b.test'] },
  rows: { bulk: 1000 },
  approvers: { default: ['approvers'] },
};

describe('overriding the knobs', () => {
  it('replaces key by key', () => {
    const over = { hosts: { known: ['c.test'] }, approvers: { 'postgres.delay': ['dba'] } };
    expect(overlayConfig(base, over)).toEqual({
      ...base,
      hosts: { known: ['c.test'], denied: ['b.test'] },
      approvers: { default: ['approvers'], 'postgres.delay': ['dba'] },
    });
  });

  it('names every knob that does not exist', () => {
    const over = { host: { known: [] }, hosts: { knwon: [] } };
    expect(() => overlayConfig(base, over)).toThrow(PolicyLoadError);
    try {
      overlayConfig(base, over);
    } catch (error) {
      expect((error as PolicyLoadError).problems).toEqual([
        'host: the policy has no such knob (it has default_effect, hosts, rows, approvers)',
        'hosts.knwon: the policy has no such knob (it has known, denied)',
      ]);
    }
  });
});

describe('preparing the data', () => {
  it.each([
    [{ default_effect: 'maybe' }],
    [{ hosts: { known: 'a.test' } }],
    [{ hosts: { known: ['api.*'] } }],
    [{ hosts: { denied: ['*evil.test'] } }],
    [{ hosts: { known: ['*'] } }],
    [{ rows: { bulk: '1000' } }],
    [{ rows: { bulk: 0 } }],
    [{ relations: { sensitive: [''] } }],
    [{ approvers: { default: [] } }],
    [{ approvers: { default: 'approvers' } }],
    [{ approvers: { default: { groups: ['a'], quorum: 0 } } }],
  ])('refuses %j', (config) => {
    expect(() => prepareData(config as never)).toThrow(PolicyLoadError);
  });

  it('sorts names by how they are compared', () => {
    expect(compile(['users', 'pii_*', '*.example.com', 'a*b', '*x*'])).toEqual({
      exact: { users: true },
      prefixes: ['pii_'],
      suffixes: ['.example.com'],
      globs: ['a*b', '*x*'],
    });
  });

  it('takes every character but * for itself', () => {
    expect(compile(['a?[b]{c}\\*d'])).toMatchObject({ globs: ['a\\?\\[b\\]\\{c\\}\\\\*d'] });
    expect(Object.keys(compile(['__proto__', 'toString']).exact)).toEqual(['__proto__', 'toString']);
  });

  it('writes hosts as they are compared', () => {
    expect(prepareData({ hosts: { known: ['API.Example.com.'] } }).hosts).toMatchObject({
      known: { exact: { 'api.example.com': true } },
    });
  });

  it('tells a relation with a schema from one without', () => {
    expect(
      prepareData({ relations: { sensitive: ['customers', 'hr.*', 'pay.salaries'] } }).relations,
    ).toMatchObject({
      sensitive: {
        names: { exact: { customers: true } },
        qualified: { exact: { 'pay.salaries': true }, prefixes: ['hr.'] },
        unqualified: { exact: { salaries: true }, prefixes: [''] },
      },
    });
  });

  it('sorts each pattern into one place and loses none', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1 })), (list) => {
        const { exact, prefixes, suffixes, globs } = compile(list);
        const places = Object.keys(exact).length + prefixes.length + suffixes.length + globs.length;
        expect(places).toBe(list.length);
      }),
    );
  });
});
