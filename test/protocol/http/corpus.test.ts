import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ActionFacts } from '../../../src/core/facts.ts';
import { explainHttp, type HttpCase } from '../../../src/protocol/http/explain.ts';

type CorpusCase = HttpCase & { id: string; why: string; expect: { action: ActionFacts } };

const cases = readFileSync(new URL('../../corpus/http.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as CorpusCase);

describe('the HTTP corpus', () => {
  it.each(cases.map((one) => [one.id, one.why, one] as const))('%s: %s', (_id, _why, one) => {
    const { action } = explainHttp(one).facts;
    const { tags, ...rest } = one.expect.action;
    expect(action).toMatchObject(rest);
    expect(action.tags).toEqual(expect.arrayContaining(tags));
  });
});
