/** Policy and parser mean the same names by "catalogue". */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { CATALOGUES, INFORMATION_SCHEMA } from '../../src/protocol/sql/builtin-names.ts';
import { isDescription } from '../../src/protocol/sql/catalogues.ts';

const vocabulary = (path: string) =>
  parse(readFileSync(new URL(`../../policies/vocabulary/${path}`, import.meta.url), 'utf8'));

describe('the names of the catalogues', () => {
  it('are those that PostgreSQL has', () => {
    const { pg_catalog, information_schema } = vocabulary('catalogues/data.yaml');
    expect(Object.keys(pg_catalog)).toEqual([...CATALOGUES]);
    expect(Object.keys(information_schema)).toEqual([...INFORMATION_SCHEMA]);
  });

  it('are split alike into those that only describe and those that reveal', () => {
    const { credential_catalogues, revealing_catalogues } = vocabulary('data.yaml').sql;
    const reveals = { ...credential_catalogues, ...revealing_catalogues };
    for (const name of CATALOGUES)
      expect([name, isDescription({ schema: null, name })]).toEqual([name, reveals[name] !== true]);
    for (const name of INFORMATION_SCHEMA)
      expect([name, isDescription({ schema: 'information_schema', name })]).toEqual([
        name,
        reveals[name] !== true,
      ]);
  });

  it.each([
    [null, 'pg_customers'],
    ['public', 'pg_class'],
    [null, 'tables'],
    ['evil', 'tables'],
  ])('do not include %s.%s', (schema, name) => {
    expect(isDescription({ schema, name })).toBe(false);
  });
});
