/**
 * Owns `holdpoint explain sql|http`: what policy sees of a statement or call, and what it answers, with nothing sent
 * anywhere. Facts come from whoever decodes the protocols. Must never differ from the live path in how it judges.
 */

import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { text as readAll } from 'node:stream/consumers';
import { type Command, Option } from 'commander';
import { z } from 'zod';
import { failedVerdict, type Verdict } from '../core/decision.ts';
import { ProtocolError } from '../core/errors.ts';
import { type Agent, type Facts, type HttpFacts, type PostgresFacts, policyInput } from '../core/facts.ts';
import { createPolicyEngine, type RunningPolicy } from '../policy/engine.ts';
import { PolicyLoadError } from '../policy/load-error.ts';
import { CommandFailed, EXIT, type ExitCode } from './exit.ts';
import { type Explained, readable } from './explain-text.ts';

/** A call as it would be sent. `url` is absolute. */
export interface HttpCase {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface ExplainDeps {
  /** Facts of a text sent by simple query in a fresh session. Never rejects for what the text says. */
  sqlFacts(text: string): Promise<PostgresFacts>;
  /** @throws ProtocolError where the listener would refuse the call before policy. */
  httpFacts(call: HttpCase): HttpFacts;
  /** Called once all is explained. */
  close(): Promise<void>;
}

interface Flags {
  readonly bundle: string;
  readonly data?: string;
  readonly jsonl?: true;
  readonly json?: true;
}

interface HttpFlags extends Flags {
  readonly method: string;
  readonly header: readonly string[];
  readonly body?: string;
}

/** Whoever asks offline: no agent of any configuration. */
const AGENT: Agent = {
  id: 'explain',
  owner: 'explain',
  environment: 'explain',
  purpose: 'explain',
  labels: {},
};

const sqlLine = z.looseObject({ id: z.unknown().optional(), sql: z.string() });
const httpLine = z.looseObject({
  id: z.unknown().optional(),
  method: z.string(),
  url: z.string(),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.string().optional(),
});

/** How one protocol's cases are read and understood. */
interface Form<Case> {
  readonly line: z.ZodType<Case & { id?: unknown }>;
  facts(one: Case): Promise<Facts>;
}

/** `createDeps` is called when a case is to be explained: parsers are slow to load. */
export function registerExplain(program: Command, createDeps: () => ExplainDeps): void {
  const explain = program
    .command('explain')
    .description('say what policy sees of a statement or call, and decides, without sending it');
  shared(explain.command('sql').description('explain a SQL text'))
    .argument('[text]', 'the text, or with --jsonl a file of {id, sql}; else standard input')
    .action((given: string | undefined, flags: Flags) =>
      withEngine(flags, createDeps, async (engine, deps) => {
        const form: Form<{ sql: string }> = { line: sqlLine, facts: ({ sql }) => deps.sqlFacts(sql) };
        if (flags.jsonl) return explainLines(engine, form, given);
        return explainOne(engine, form, { sql: given ?? (await readAll(process.stdin)) }, flags);
      }),
    );
  shared(explain.command('http').description('explain an HTTP call'))
    .argument(
      '[url]',
      'the URL, or with --jsonl a file of {id, method, url, headers, body}; else standard input',
    )
    .option('--method <method>', 'the method', 'GET')
    .option('--header <field>', 'a header field, as in "content-type: application/json"', collect, [])
    .option('--body <text>', 'the body')
    .action((given: string | undefined, flags: HttpFlags) =>
      withEngine(flags, createDeps, async (engine, deps) => {
        const form: Form<HttpCase> = {
          line: httpLine as Form<HttpCase>['line'],
          facts: async (call) => deps.httpFacts(call),
        };
        if (flags.jsonl) return explainLines(engine, form, given);
        return explainOne(engine, form, callOf(given ?? (await readAll(process.stdin)).trim(), flags), flags);
      }),
    );
}

function shared(command: Command): Command {
  return command
    .option('--bundle <bundle>', 'builtin, a directory with policy.wasm, or a bundle.tar.gz', 'builtin')
    .option('--data <file>', 'knobs laid over the policy’s own, as policy.data')
    .option('--jsonl', 'one case a line in, {id, input, decision} a line out')
    .addOption(new Option('--json', 'the input and the decision as JSON').conflicts('jsonl'));
}

const collect = (field: string, before: readonly string[]): readonly string[] => [...before, field];

function callOf(url: string, flags: HttpFlags): HttpCase {
  const fields = flags.header.map((field) => /^([^:\s]+):\s*(.*)$/.exec(field)?.slice(1) ?? [field]);
  const wrong = fields.find((field) => field.length !== 2);
  if (wrong)
    throw new CommandFailed(EXIT.usage, [`--header ${wrong[0]}: is not a name, a colon and a value`]);
  return {
    method: flags.method,
    url,
    headers: Object.fromEntries(fields),
    ...(flags.body === undefined ? {} : { body: flags.body }),
  };
}

async function withEngine(
  flags: Flags,
  createDeps: () => ExplainDeps,
  explain: (engine: RunningPolicy, deps: ExplainDeps) => Promise<ExitCode>,
): Promise<void> {
  const engine = await createPolicyEngine({ bundle: flags.bundle, data: flags.data ?? null }).catch(
    (error) => {
      throw error instanceof PolicyLoadError ? new CommandFailed(EXIT.usage, error.problems) : error;
    },
  );
  try {
    const deps = createDeps();
    try {
      const code = await explain(engine, deps);
      if (code !== EXIT.done) throw new CommandFailed(code, []);
    } finally {
      await deps.close();
    }
  } finally {
    await engine.close();
  }
}

async function judge<Case>(engine: RunningPolicy, form: Form<Case>, one: Case): Promise<Explained> {
  let facts: Facts;
  try {
    facts = await form.facts(one);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { input: null, decision: refusedEarly(error, engine.revision).decision };
  }
  const input = policyInput(facts, AGENT, Date.now());
  return { input, decision: (await engine.decide(input)).decision };
}

const refusedEarly = (error: ProtocolError, revision: string): Verdict =>
  failedVerdict(error.code, error.message, revision);

async function explainLines<Case>(
  engine: RunningPolicy,
  form: Form<Case>,
  file: string | undefined,
): Promise<ExitCode> {
  const source = file === undefined ? process.stdin : createReadStream(file);
  const failed = new Promise<never>((_, reject) => {
    source.once('error', (error: Error) => reject(new CommandFailed(EXIT.usage, [error.message])));
  });
  const lines = async (): Promise<ExitCode> => {
    let number = 0;
    for await (const line of createInterface({ input: source, crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1;
      if (line.trim() === '') continue;
      const one = parseLine(form, line, number);
      const explained = await judge(engine, form, one);
      process.stdout.write(`${JSON.stringify({ id: one.id ?? null, ...explained })}\n`);
    }
    return EXIT.done;
  };
  return Promise.race([lines(), failed]);
}

function parseLine<Case>(form: Form<Case>, line: string, number: number): Case & { id?: unknown } {
  try {
    return form.line.parse(JSON.parse(line));
  } catch (error) {
    const [issue] = error instanceof z.ZodError ? error.issues : [];
    const reason = issue ? `${issue.path.join('.')}: ${issue.message}` : (error as Error).message;
    throw new CommandFailed(EXIT.usage, [`line ${number}: ${reason}`]);
  }
}

async function explainOne<Case>(
  engine: RunningPolicy,
  form: Form<Case>,
  one: Case,
  flags: Flags,
): Promise<ExitCode> {
  const explained = await judge(engine, form, one);
  const shown = flags.json ? JSON.stringify(explained, null, 2) : readable(explained, engine.revision);
  process.stdout.write(`${shown}\n`);
  return explained.decision.effect === 'allow' ? EXIT.done : EXIT.no;
}
