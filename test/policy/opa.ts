/** The OPA compiler for tests that compare with it. Without one they are skipped, and say so, unless it is required. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findOpa, NO_OPA } from '../../policies/tools/opa.mjs';

export const opa: string | null = findOpa({ install: false });

if (opa === null) {
  if (process.env.HOLDPOINT_REQUIRE_OPA === '1') throw new Error(NO_OPA);
  console.warn(`SKIPPED, nothing compared with OPA: ${NO_OPA}`);
}

/** What `opa eval` answers for a query, with documents of `input` and `data`; undefined where it is undefined. */
export function evaluate(
  query: string,
  documents: { input?: unknown; data?: string; bundle?: string },
): unknown {
  const directory = mkdtempSync(join(tmpdir(), 'holdpoint-opa-'));
  try {
    const input = join(directory, 'input.json');
    writeFileSync(input, JSON.stringify(documents.input ?? {}));
    const args = ['eval', '--format', 'json', '--input', input];
    if (documents.bundle) args.push('--bundle', documents.bundle);
    if (documents.data) {
      writeFileSync(join(directory, 'data.json'), documents.data);
      args.push('--data', join(directory, 'data.json'));
    }
    const answer = execFileSync(opa ?? 'opa', [...args, query], { encoding: 'utf8' });
    return JSON.parse(answer).result?.[0]?.expressions[0].value;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
