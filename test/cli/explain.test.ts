import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EXIT, failureOf } from '../../src/cli/exit.ts';
import { type HttpCase, registerExplain } from '../../src/cli/explain.ts';
import { ProtocolError } from '../../src/core/errors.ts';
import type { HttpFacts, PostgresFacts } from '../../src/core/facts.ts';
import { httpInput, sqlFacts, statement } from '../policy/inputs.ts';

/** Facts by the words of the text: what parsers do is tested with them. */
async function sqlFactsOf(text: string): Promise<PostgresFacts> {
  const flags = text.includes('WHERE') ? ['has_where'] : ['no_where', 'bulk_export'];
  const one = statement({ reads: [{ schema: null, name: 'orders' }], flags });
  return { kind: 'postgres', sql: sqlFacts([one], { text }) };
}

function httpFactsOf({ method, url, headers }: HttpCase): HttpFacts {
  if (!URL.canParse(url)) throw new ProtocolError('request_malformed', 'the target is not a URL');
  const access = headers?.['x-access'] === 'admin' ? 'admin' : 'read';
  const input = httpInput({ method, host: new URL(url).hostname, action: { access } });
  if (input.kind !== 'http') throw new Error('not a call');
  const { version, agent, time, ...facts } = input;
  return facts;
}

describe('holdpoint explain', () => {
  let out: string;
  let closed: number;
  let directory: string;
  beforeEach(() => {
    out = '';
    closed = 0;
    directory = mkdtempSync(join(tmpdir(), 'holdpoint-explain-'));
    vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
      out += chunk;
      return true;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    rmSync(directory, { recursive: true });
  });

  /** The exit code, and what goes to standard error. */
  async function explain(...args: string[]): Promise<{ code: number; lines: readonly string[] }> {
    const program = new Command('holdpoint');
    registerExplain(program, () => ({
      sqlFacts: sqlFactsOf,
      httpFacts: httpFactsOf,
      async close() {
        closed += 1;
      },
    }));
    for (const command of [
      program,
      ...program.commands,
      ...program.commands.flatMap((one) => one.commands),
    ]) {
      command.exitOverride().configureOutput({ writeErr: () => {} });
    }
    try {
      await program.parseAsync(['explain', ...args], { from: 'user' });
      return { code: EXIT.done, lines: [] };
    } catch (error) {
      if (error instanceof CommanderError) return { code: EXIT.usage, lines: [] };
      return failureOf(error);
    }
  }

  const file = (name: string, content: string): string => {
    const path = join(directory, name);
    writeFileSync(path, content);
    return path;
  };

  it('ends with 0 where the answer is yes, and 1 where it is not', async () => {
    expect(await explain('sql', 'SELECT * FROM orders WHERE id = 1')).toEqual({ code: EXIT.done, lines: [] });
    expect(await explain('sql', 'SELECT * FROM orders')).toEqual({ code: EXIT.no, lines: [] });
    expect(await explain('http', 'https://api.github.com/')).toEqual({ code: EXIT.done, lines: [] });
    expect(await explain('http', 'https://other.test/')).toEqual({ code: EXIT.no, lines: [] });
    expect(closed).toBe(4);
  });

  it('says in words what is seen, which rules hit and who must approve', async () => {
    await explain('sql', 'SELECT * FROM orders');
    expect(out.split('\n').slice(0, 4)).toEqual([
      'hold: Needs approval: reads all of orders.',
      '  postgres.bulk_export (high, CC6.1, CC6.7): reads all of orders',
      '  1 of data-owners must approve',
      'seen as: SelectStmt, reads [orders], writes [], flags [no_where, bulk_export]',
    ]);
    out = '';
    await explain('http', 'https://api.github.com/', '--method', 'POST', '--header', 'x-access: admin');
    expect(out).toContain('http.admin');
    expect(out).toContain('seen as: no known API, access admin, tags []');
  });

  it('gives input and decision as JSON', async () => {
    await explain('sql', '--json', 'SELECT 1 WHERE true');
    expect(JSON.parse(out)).toMatchObject({
      input: { version: 1, kind: 'postgres', sql: { text: 'SELECT 1 WHERE true' } },
      decision: { effect: 'allow' },
    });
  });

  it('answers each line of a file with a line, in order, whatever the effect', async () => {
    const cases = file(
      'cases.jsonl',
      '{"id":"a","sql":"SELECT 1 WHERE true","why":"ignored"}\n\n{"id":2,"sql":"SELECT * FROM orders"}\r\n{"sql":""}',
    );
    expect(await explain('sql', '--jsonl', cases)).toEqual({ code: EXIT.done, lines: [] });
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ id, decision }) => [id, decision.effect])).toEqual([
      ['a', 'allow'],
      [2, 'hold'],
      [null, 'hold'],
    ]);
    expect(Object.keys(lines[0])).toEqual(['id', 'input', 'decision']);
  });

  it('denies a call that the listener would refuse, and goes on', async () => {
    const cases = file(
      'calls.jsonl',
      '{"id":1,"method":"GET","url":"::"}\n{"id":2,"method":"GET","url":"https://api.github.com/"}',
    );
    expect((await explain('http', '--jsonl', cases)).code).toBe(EXIT.done);
    const [refused, read] = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(refused).toMatchObject({
      input: null,
      decision: { effect: 'deny', rules: [{ id: 'holdpoint.request_malformed' }] },
    });
    expect(read.decision.effect).toBe('allow');
  });

  it('uses the knobs of a file', async () => {
    const data = file('data.yaml', 'hosts: { known: ["other.test"] }\n');
    expect((await explain('http', '--data', data, 'https://other.test/')).code).toBe(EXIT.done);
    expect((await explain('http', '--data', data, 'https://api.github.com/')).code).toBe(EXIT.no);
  });

  it('ends with 2 for what cannot be used, and says what', async () => {
    const bad = file('bad.jsonl', '{"id":1,"sql":"SELECT 1"}\n{"id":2}\n');
    expect(await explain('sql', '--jsonl', bad)).toMatchObject({
      code: EXIT.usage,
      lines: [expect.stringMatching(/^line 2: sql: /)],
    });
    expect(await explain('sql', '--jsonl', file('x.jsonl', '{'))).toMatchObject({ code: EXIT.usage });
    expect(await explain('sql', '--jsonl', join(directory, 'absent'))).toMatchObject({ code: EXIT.usage });
    expect(await explain('sql', '--bundle', join(directory, 'absent'), 'SELECT 1')).toMatchObject({
      code: EXIT.usage,
    });
    expect(await explain('sql', '--data', file('t.yaml', 'host: {}'), 'SELECT 1')).toMatchObject({
      code: EXIT.usage,
      lines: [expect.stringMatching(/^host: the policy has no such knob/)],
    });
    expect(await explain('http', '--header', 'no colon', 'https://a.test/')).toMatchObject({
      code: EXIT.usage,
    });
    expect(await explain('sql', '--json', '--jsonl', 'SELECT 1')).toMatchObject({ code: EXIT.usage });
  });
});
