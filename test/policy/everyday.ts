/** Statements through the real parser and the real policy: the way that a text takes in production, without a network. */

import { readFileSync } from 'node:fs';
import { type PolicyInput, policyInput } from '../../src/core/facts.ts';
import { createPolicyEngine } from '../../src/policy/engine.ts';
import { createSqlAnalyser } from '../../src/protocol/sql/analyser.ts';
import { AGENT, sqlFacts } from './inputs.ts';

/** A statement a line; `#` begins a remark. */
export function statementsOf(file: string): string[] {
  const lines = readFileSync(new URL(`./cases/${file}`, import.meta.url), 'utf8').split('\n');
  return lines.filter((line) => line.trim() !== '' && !line.startsWith('#'));
}

export interface Judge {
  /** The decision, and the facts that it was made on. */
  judge(text: string): Promise<{ readonly effect: string; readonly input: PolicyInput }>;
  close(): Promise<void>;
}

/** `data`: a file below cases/ that is laid over the policy's own knobs. */
export async function startJudge(data: string | null): Promise<Judge> {
  const analyser = createSqlAnalyser();
  const policy = await createPolicyEngine({
    bundle: 'builtin',
    data: data === null ? null : new URL(`./cases/${data}`, import.meta.url).pathname,
  });
  return {
    async judge(text) {
      const { statements, flags, error } = await analyser.analyse(text);
      const facts = sqlFacts(
        statements.map((statement) => statement.facts),
        { text, flags: [...flags], parsed: error === null, error: error?.message ?? null },
      );
      const input = policyInput({ kind: 'postgres', sql: facts }, AGENT, 0);
      const { decision, failure } = await policy.decide(input);
      if (failure) throw new Error(`the policy failed on ${text}`);
      return { effect: decision.effect, input };
    },
    async close() {
      await policy.close();
      await analyser.close();
    },
  };
}
