import { beforeAll, describe, expect, it } from 'vitest';
import { analyseText, type Parser } from '../../../src/protocol/sql/analyse-text.ts';
import { loadParser } from '../../../src/protocol/sql/libpg-parser.ts';
import {
  compareWith,
  loadSecondOpinion,
  type SecondOpinion,
} from '../../../src/protocol/sql/second-opinion.ts';

let parser: Parser;
let real: SecondOpinion;
beforeAll(async () => {
  parser = await loadParser();
  real = await loadSecondOpinion();
});

const disagree = (text: string, opinion: SecondOpinion): boolean =>
  opinion(analyseText(text, [], parser)).flags.includes('parser_disagreement');

describe('the second opinion', () => {
  it('tightens when it sees a relation that the first does not', () => {
    expect(disagree('SELECT 1', compareWith({ tableList: () => ['select::null::secret'] }))).toBe(true);
    expect(
      disagree('SELECT * FROM a', compareWith({ tableList: () => ['select::null::a', 'delete::s::b'] })),
    ).toBe(true);
  });

  it('means nothing where it fails, is silent, or repeats what is known', () => {
    const fails = compareWith({
      tableList: () => {
        throw new RangeError('too deep');
      },
    });
    expect(disagree('SELECT * FROM a', fails)).toBe(false);
    expect(disagree('SELECT * FROM a', compareWith({ tableList: () => [] }))).toBe(false);
    expect(disagree('SELECT * FROM "A"', compareWith({ tableList: () => ['select::null::a'] }))).toBe(false);
    expect(
      disagree('WITH x AS (SELECT 1) SELECT * FROM x', compareWith({ tableList: () => ['select::null::x'] })),
    ).toBe(false);
    expect(disagree('SELECT * FROM ONLY a', compareWith({ tableList: () => ['select::null::ONLY'] }))).toBe(
      false,
    );
  });

  it('leaves a text alone that could not be read', () => {
    const refused = analyseText('SELEC', [], parser);
    expect(compareWith({ tableList: () => ['select::null::a'] })(refused)).toBe(refused);
  });

  // The differential: on plain statements two independent grammars name the same relations.
  it.each([
    'SELECT a.x, b.y FROM a JOIN s.b ON a.id = b.id WHERE a.x IN (SELECT x FROM c)',
    'WITH t AS (SELECT * FROM a) SELECT * FROM t, b',
    'INSERT INTO a (x) SELECT x FROM b',
    'UPDATE a SET x = 1 FROM b WHERE a.id = b.id',
    'DELETE FROM a WHERE id IN (SELECT id FROM b)',
    'SELECT * FROM a UNION ALL SELECT * FROM b',
    'SELECT (SELECT max(x) FROM b) FROM a',
    'SELECT * FROM ONLY a',
    "SELECT '\\' UNION SELECT pw FROM secret --'",
  ])('agrees on %s', (text) => {
    expect(disagree(text, real)).toBe(false);
  });
});
