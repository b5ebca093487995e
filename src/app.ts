/**
 * Owns Holdpoint as a whole: configuration in, parts joined, listeners open, and the way down. The only file that
 * knows everybody. Must never hold logic of a part.
 */

import { type Approvals, openApprovals } from './app/approvals.ts';
import { agentListeners, wantedAddresses } from './app/listeners.ts';
import { machineClock, machineIds } from './app/machine.ts';
import { addressProblems } from './app/preflight.ts';
import { type Attempt, attempt, problemsIn, StartProblems } from './app/problems.ts';
import { openState, type State } from './app/state.ts';
import { createTeardown, type Teardown } from './app/teardown.ts';
import { createApprovalsApi } from './approval/api.ts';
import type { Config } from './config/schema.ts';
import { addressText, type SocketAddress } from './core/address.ts';
import type { Json } from './core/facts.ts';
import type { Logger } from './core/ports.ts';
import { draft } from './core/record.ts';
import { startEmbeddedPostgres } from './embedded/postgres.ts';
import { createMetrics, type Metrics } from './observe/metrics.ts';
import { createPipeline } from './pipeline/pipeline.ts';
import { createSqlAnalyser } from './protocol/sql/analyser.ts';
import { startControlListener } from './server/control/listener.ts';

export interface BoundAddress {
  /** The configuration's key. */
  readonly key: string;
  readonly address: SocketAddress;
}

export interface Holdpoint {
  readonly addresses: readonly BoundAddress[];
  /** Of the policy in force. */
  readonly revision: string;
  /**
   * Refuses what waits, lets what runs finish for a bounded time, and closes everything. Resolves to whether all of it
   * stopped cleanly. Safe to call twice.
   */
  stop(reason: string): Promise<boolean>;
}

/** What the parts share while they are joined. */
interface Building {
  readonly config: Config;
  readonly logger: Logger;
  readonly state: State;
  readonly teardown: Teardown;
  readonly metrics: Metrics;
  /** Bound so far: what the HTTP proxy must never be talked into dialling. */
  readonly addresses: BoundAddress[];
  /** Why it is not ready. */
  readonly notReady: Set<string>;
  /** Aborts when a stop is asked for. */
  readonly stopping: AbortController;
}

/** Resolves once every listener accepts and a policy is in force. @throws StartProblems with one line each. */
export async function startHoldpoint(config: Config, version: string, logger: Logger): Promise<Holdpoint> {
  const state = await openState(config, logger, addressProblems(wantedAddresses(config)));
  const building: Building = {
    config,
    logger,
    state,
    teardown: createTeardown(logger),
    metrics: createMetrics(),
    addresses: [],
    notReady: new Set(['the start has not finished']),
    stopping: new AbortController(),
  };
  try {
    return await join(building, version);
  } catch (error) {
    await building.teardown.run();
    throw error;
  }
}

async function join(building: Building, version: string): Promise<Holdpoint> {
  const { config, logger, state, teardown, addresses, notReady, stopping } = building;
  let reason = 'the start failed';
  teardown.add('store', () => state.store.close());
  teardown.add('audit', () => state.audit.close());
  teardown.add('policy', () => state.policy.close());
  await recordStart(building, version);
  teardown.add('audit record', () => record(state, config, 'stopped', { reason }));

  const embedded = openEmbeddedPostgres(building);
  const approvals = await openApprovals(config, state, logger, teardown);
  const opened = [
    await openControl(building, approvals),
    await embedded,
    await approvals.slack,
    ...(await openListeners(building, approvals)),
  ];
  const problems = problemsIn(opened);
  if (problems.length > 0) throw new StartProblems(problems);
  notReady.clear();
  logger.info({ addresses, policy: state.policy.revision }, 'ready');
  return {
    addresses,
    revision: state.policy.revision,
    stop(why) {
      reason = why;
      notReady.add('stopping');
      stopping.abort();
      return teardown.run();
    },
  };
}

async function recordStart({ state, config }: Building, version: string): Promise<void> {
  const { mode, bundle } = config.policy;
  await record(state, config, 'started', { version, node: process.version, mode });
  await record(state, config, 'policy_loaded', { revision: state.policy.revision, bundle });
}

function record(
  { audit }: State,
  config: Config,
  type: 'started' | 'stopped' | 'policy_loaded',
  detail: { [key: string]: Json },
): Promise<unknown> {
  return audit.append(draft(type, { agent: config.agent.id, detail }), { durable: true });
}

async function openControl(building: Building, { desk, people }: Approvals): Promise<Attempt<unknown>> {
  const { config, logger, state, teardown, metrics, addresses, notReady } = building;
  const readiness = () => {
    const reasons = [...notReady, ...(state.audit.fault() ? ['the audit log cannot be written'] : [])];
    return { ready: reasons.length === 0, reasons };
  };
  const opened = await attempt(
    'control.listen',
    startControlListener({
      listen: config.control.listen,
      api: createApprovalsApi({ desk, people, operatorTokenHash: state.operatorTokenHash, logger }),
      readiness,
      metrics: () => metrics.text(),
      logger,
    }),
  );
  if ('part' in opened) {
    teardown.add('control', () => opened.part.drain());
    addresses.push({ key: 'control', address: opened.part.address });
  }
  return opened;
}

function ticketUrl(addresses: readonly BoundAddress[]): (ticket: string) => string {
  const control = addresses.find(({ key }) => key === 'control')?.address;
  return (ticket) => `http://${control ? addressText(control) : 'control'}/api/v1/approvals/${ticket}`;
}

async function openEmbeddedPostgres(building: Building): Promise<Attempt<unknown>> {
  const { config, logger, teardown, addresses } = building;
  if (!config.embedded_postgres) return { part: null };
  const { data_dir: dataDir, listen, sample } = config.embedded_postgres;
  const starting = startEmbeddedPostgres({ dataDir, ...listen, initSql: sample, logger });
  // Added before it has started: it must be stopped last, and also when something else keeps Holdpoint from starting.
  teardown.add('embedded_postgres', async () => (await starting.catch(() => null))?.stop());
  const opened = await attempt('embedded_postgres', starting);
  if ('part' in opened) {
    addresses.push({ key: 'embedded_postgres', address: { host: opened.part.host, port: opened.part.port } });
  }
  return opened;
}

async function openListeners(building: Building, { desk, slack }: Approvals): Promise<Attempt<unknown>[]> {
  const { config, logger, state, teardown, metrics, addresses, stopping } = building;
  const pipeline = createPipeline({
    agent: config.agent,
    policy: state.policy,
    evidence: state.audit,
    desk,
    clock: machineClock,
    ids: machineIds,
    meter: metrics,
    mode: config.policy.mode,
    expiresIn: config.hold.expires,
    stopping: stopping.signal,
  });
  const analyser = createSqlAnalyser({
    crossCheck: config.sql.cross_check,
    onReplaced: (why) => logger.warn({ reason: why }, 'a parser thread was replaced'),
  });
  teardown.add('sql parser', () => analyser.close());
  const slackSettings = config.approvals.slack;
  if (slackSettings?.mode === 'http' && 'part' in (await slack)) {
    addresses.push({ key: 'approvals.slack', address: slackSettings.listen });
  }
  const own = () => addresses.map(({ address }) => address);
  const listeners = agentListeners(config, {
    state,
    pipeline,
    analyser,
    logger,
    own,
    ticketUrl: ticketUrl(addresses),
  });
  const started = listeners.map(async (listener) => {
    const bound = await attempt(listener.key, () => listener.start());
    if ('part' in bound) addresses.push({ key: listener.key, address: bound.part });
    return { listener, bound };
  });
  const all = await Promise.all(started);
  const running = all.filter(({ bound }) => 'part' in bound);
  teardown.add('listeners', () => Promise.all(running.map(({ listener }) => listener.drain())));
  return all.map(({ bound }) => bound);
}
