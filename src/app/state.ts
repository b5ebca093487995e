/**
 * Owns opening what lives in the state directory, and the policy: every part is tried, so that every problem is
 * said. Must never leave a part open when another one failed.
 */

import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type AuditLog, createAuditLog } from '../audit/log.ts';
import type { Config } from '../config/schema.ts';
import type { Logger, TicketStore } from '../core/ports.ts';
import { createPolicyEngine, type RunningPolicy } from '../policy/engine.ts';
import { type LoadedToken, loadOperatorToken, loadTokens } from '../server/control/tokens.ts';
import {
  type CertificateAuthority,
  createCertificateAuthority,
} from '../server/http/certificate-authority.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import { machineClock } from './machine.ts';
import { type Attempt, attempt, partOf, problemsIn, StartProblems } from './problems.ts';

export interface State {
  readonly audit: AuditLog;
  readonly store: TicketStore;
  readonly policy: RunningPolicy;
  readonly tokens: readonly LoadedToken[];
  readonly operatorTokenHash: string;
  readonly authority: CertificateAuthority;
  /** PEM texts of `http.upstream.ca`. */
  readonly trusted: readonly string[];
}

/** @throws StartProblems naming everything that is in the way; `others` are problems found elsewhere. */
export async function openState(
  config: Config,
  logger: Logger,
  others: Promise<readonly string[]>,
): Promise<State> {
  const stateDir = config.state_dir;
  const folder = await attempt('state_dir', () => makePrivate(stateDir));
  if ('problem' in folder) throw new StartProblems([folder.problem, ...(await others)]);
  const [audit, store, policy, tokens, operator, authority, trusted] = await Promise.all([
    attempt('audit', openAudit(config, logger)),
    attempt('store', openSqliteStore(join(stateDir, 'holdpoint.db'))),
    attempt(
      'policy',
      createPolicyEngine({
        bundle: config.policy.bundle,
        data: config.policy.data ?? null,
        onThreadLost: (reason) => logger.warn({ reason }, 'a policy thread was replaced'),
      }),
    ),
    attempt('approvals.tokens', loadTokens(config.approvals.tokens, { random: randomBytes })),
    attempt('state_dir', loadOperatorToken(stateDir, { random: randomBytes })),
    attempt('state_dir', createCertificateAuthority({ stateDir, clock: machineClock })),
    attempt('http.upstream.ca', readAll(config.http?.upstream.ca ?? [])),
  ]);
  const problems = [
    ...problemsIn([audit, store, policy, tokens, operator, authority, trusted]),
    ...(await others),
  ];
  if (problems.length > 0) {
    await Promise.all([closed(policy), closed(store), closed(audit)]);
    throw new StartProblems(problems);
  }
  return {
    audit: partOf(audit),
    store: partOf(store),
    policy: partOf(policy),
    tokens: partOf(tokens),
    operatorTokenHash: partOf(operator),
    authority: partOf(authority),
    trusted: partOf(trusted),
  };
}

async function closed(one: Attempt<{ close(): Promise<void> }>): Promise<void> {
  if ('part' in one) await one.part.close().catch(() => undefined);
}

/** 0700: keys, tokens and tickets are in it. One that is wider open is refused, not silently narrowed. */
async function makePrivate(stateDir: string): Promise<void> {
  const made = await mkdir(stateDir, { recursive: true, mode: 0o700 });
  if (made !== undefined) await chmod(stateDir, 0o700);
  const { mode } = await stat(stateDir);
  if ((mode & 0o022) !== 0) {
    throw new Error(`${stateDir} can be written by others: chmod 0700 it, or choose another`);
  }
}

function openAudit(config: Config, logger: Logger): Promise<AuditLog> {
  return createAuditLog({
    directory: config.state_dir,
    clock: machineClock,
    capture: config.audit.capture,
    onFault: (fault) =>
      logger.error({ err: fault }, 'the audit log cannot be written: nothing passes any more'),
  });
}

async function readAll(files: readonly string[]): Promise<string[]> {
  return Promise.all(files.map((file) => readFile(file, 'utf8')));
}
