/**
 * Owns opening what lives in the state directory, and the policy: every part is tried, so that every problem is
 * said. Must never leave a part open when another one failed.
 */

import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { type AuditLog, createAuditLog } from '../audit/log.ts';
import type { Config } from '../config/schema.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger, TicketStore } from '../core/ports.ts';
import { createPolicyEngine, type RunningPolicy } from '../policy/engine.ts';
import { type LoadedToken, loadOperatorToken, loadTokens } from '../server/control/tokens.ts';
import {
  type CertificateAuthority,
  createCertificateAuthority,
} from '../server/http/certificate-authority.ts';
import { readResolveMap } from '../server/http/resolve.ts';
import { certificatesOf } from '../server/http/trusted-roots.ts';
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
  // Without the directory all that would be in it is not tried: one line says why.
  const within = <T>(key: string, open: () => Promise<T>): Promise<Attempt<T>> =>
    'part' in folder ? attempt(key, open) : Promise.resolve(folder);
  const [audit, store, policy, tokens, operator, authority, trusted, resolve] = await Promise.all([
    within('audit', () => openAudit(config, logger)),
    within('store', () => openSqliteStore(join(stateDir, 'holdpoint.db'))),
    attempt('policy', openPolicy(config, logger)),
    attempt('approvals.tokens', openTokens(config, 'part' in folder)),
    within('state_dir', () => loadOperatorToken(stateDir, { random: randomBytes })),
    within('state_dir', () => createCertificateAuthority({ stateDir, clock: machineClock })),
    Promise.all((config.http?.upstream.ca ?? []).map((file) => attempt('http.upstream.ca', readRoots(file)))),
    attempt('http', () => readResolveMap(config.http?.upstream.resolve ?? {})),
  ]);
  const problems = [
    ...problemsIn([folder, audit, store, policy, tokens, operator, authority, ...trusted, resolve]),
    ...(await others),
  ];
  if (problems.length > 0) {
    await Promise.all([closed(policy), closed(store), closed(audit)]);
    throw new StartProblems([...new Set(problems)]);
  }
  return {
    audit: partOf(audit),
    store: partOf(store),
    policy: partOf(policy),
    tokens: partOf(tokens),
    operatorTokenHash: partOf(operator),
    authority: partOf(authority),
    trusted: trusted.map(partOf),
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

function openPolicy({ policy }: Config, logger: Logger): Promise<RunningPolicy> {
  return createPolicyEngine({
    bundle: policy.bundle,
    data: policy.data ?? null,
    onThreadLost: (reason) => logger.warn({ reason }, 'a policy thread was replaced'),
  });
}

/** A token is never made in a state directory that was refused. */
function openTokens({ approvals, state_dir }: Config, made: boolean): Promise<LoadedToken[]> {
  const inside = (file: string) => !relative(state_dir, file).startsWith('..');
  const entries = approvals.tokens.filter((token) => made || !('file' in token && inside(token.file)));
  return loadTokens(entries, { random: randomBytes });
}

/** @throws Error when the file cannot be read, or is not of certificates. */
async function readRoots(file: string): Promise<string> {
  try {
    const pem = await readFile(file, 'utf8');
    certificatesOf(pem);
    return pem;
  } catch (error) {
    throw new Error(`${file}: ${messageOf(error)}`, { cause: error });
  }
}
