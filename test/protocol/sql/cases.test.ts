/** Our own cases, in cases/*.txt: one line of text, one line of what is expected of it. */

import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { analyseText, type Parser } from '../../../src/protocol/sql/analyse-text.ts';
import { readLexically } from '../../../src/protocol/sql/lexical.ts';
import { loadParser } from '../../../src/protocol/sql/libpg-parser.ts';
import { kindsOf, names } from './corpus.ts';

const folder = new URL('./cases/', import.meta.url);

function casesOf(file: string): [text: string, expected: string][] {
  const lines = readFileSync(new URL(file, folder), 'utf8').split('\n');
  return lines.flatMap((line, index) => {
    const expected = lines[index + 1];
    const isText = line !== '' && !line.startsWith('#') && !line.startsWith('  ');
    return isText && expected?.startsWith('  ') ? [[line.replaceAll('⏎', '\n'), expected.trim()]] : [];
  });
}

describe.each(readdirSync(folder))('cases/%s', (file) => {
  let parser: Parser;
  beforeAll(async () => {
    parser = await loadParser();
  });

  it.each(casesOf(file))('%s', (text, expected) => {
    const analysis = analyseText(text, readLexically(text).flags, parser);
    const facts = analysis.statements.map((statement) => statement.facts);
    const seen = [
      facts.flatMap(kindsOf).join(' '),
      names(facts.flatMap(({ reads }) => reads)).join(' '),
      names(facts.flatMap(({ writes }) => writes)).join(' '),
      [...analysis.flags].sort().join(' '),
    ];
    expect(analysis.error).toBeNull();
    expect(seen).toEqual(`${expected} `.split('|').map((cell) => cell.trim()));
  });
});
