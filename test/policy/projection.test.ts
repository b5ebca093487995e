import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PolicyInput } from '../../src/core/facts.ts';
import { createProjection } from '../../src/policy/projection.ts';
import { sqlInput, statement } from './inputs.ts';

const frozen = <Value>(value: Value): Value => {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(frozen);
    Object.freeze(value);
  }
  return value;
};
const asInput = (value: unknown): PolicyInput => value as PolicyInput;

describe('the projection of an input', () => {
  it('shows the paths that are read and nothing else', () => {
    const projection = createProjection([['kind'], ['sql', 'parsed'], ['sql', 'statements']]);
    const input = sqlInput([statement({ flags: ['has_where'] })]);
    expect(JSON.parse(projection.text(input))).toEqual({
      kind: 'postgres',
      sql: { parsed: true, statements: [statement({ flags: ['has_where'] })] },
    });
  });

  it('shows everything where the paths are not known, or one of them is all', () => {
    const input = sqlInput([statement()]);
    for (const paths of [null, [[]], [['kind'], []]]) {
      expect(JSON.parse(createProjection(paths).text(input))).toEqual(JSON.parse(JSON.stringify(input)));
    }
  });

  it('prefers the wider of two paths', () => {
    const projection = createProjection([['a', 'b'], ['a']]);
    expect(projection.text(asInput({ a: { b: 1, c: 2 } }))).toBe('{"a":{"b":1,"c":2}}');
  });

  it('shows what is not an object where a path goes on', () => {
    const projection = createProjection([['a', 'b']]);
    for (const a of [null, 1, 'x', [1], true]) {
      expect(JSON.parse(projection.text(asInput({ a, z: 0 })))).toEqual({ a });
    }
  });

  it('leaves out what is inherited or undefined', () => {
    const projection = createProjection([['toString'], ['__proto__'], ['a']]);
    expect(projection.text(asInput({ a: undefined }))).toBe('{}');
  });

  it('has a key of the same parts, without reading frozen ones twice', () => {
    const projection = createProjection([['sql', 'statements']]);
    const one = frozen(statement({ flags: ['has_where'] }));
    const key = projection.key(sqlInput([one]));
    expect(projection.key(sqlInput([one]))).toBe(key);
    expect(key).toBe('{"sql":{"statements":[@1]}}');
    expect(projection.key(sqlInput([frozen(statement())]))).not.toBe(key);
  });

  it('reads again what could have changed', () => {
    const projection = createProjection([['sql', 'statements']]);
    const one = statement({ flags: ['has_where'] });
    Object.freeze(one);
    const key = projection.key(sqlInput([one]));
    one.flags.push('no_where');
    expect(projection.key(sqlInput([one]))).not.toBe(key);
  });

  it('never has one key for two texts', () => {
    const value = fc.oneof(fc.jsonValue(), fc.jsonValue().map(frozen));
    const document = fc.record({ a: fc.record({ b: value, c: value }), d: fc.array(value) });
    fc.assert(
      fc.property(document, document, (left, right) => {
        const projection = createProjection([['a', 'b'], ['d']]);
        const [one, two] = [asInput(left), asInput(right)];
        if (projection.key(one) === projection.key(two)) {
          expect(projection.text(one)).toBe(projection.text(two));
        }
      }),
    );
  });
});
