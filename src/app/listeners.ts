/** Owns the listeners of a configuration: which there are, and building each. Must never start one. */

import { randomBytes } from 'node:crypto';
import type { Config } from '../config/schema.ts';
import type { SocketAddress } from '../core/address.ts';
import type { Pipeline } from '../core/admission.ts';
import type { Logger } from '../core/ports.ts';
import type { SqlAnalyser } from '../protocol/sql/analysis.ts';
import { createHttpListener, type HttpListener } from '../server/http/listener.ts';
import { createOwnAddresses } from '../server/http/own-addresses.ts';
import { createPostgresListener } from '../server/postgres/listener.ts';
import { machineClock } from './machine.ts';
import type { WantedAddress } from './preflight.ts';
import type { State } from './state.ts';

/** A listener for agents. */
export interface AgentListener {
  /** The configuration's key. */
  readonly key: string;
  start(): Promise<SocketAddress>;
  drain(): Promise<void>;
}

/** Every address that the configuration asks for. */
export function wantedAddresses(config: Config): WantedAddress[] {
  const { slack } = config.approvals;
  return [
    { key: 'control.listen', ...config.control.listen },
    ...(config.http ? [{ key: 'http.listen', ...config.http.listen }] : []),
    ...config.postgres.map(({ listen }, index) => ({ key: `postgres[${index}].listen`, ...listen })),
    ...(slack?.mode === 'http' ? [{ key: 'approvals.slack.listen', ...slack.listen }] : []),
    ...(config.embedded_postgres
      ? [{ key: 'embedded_postgres.listen', ...config.embedded_postgres.listen }]
      : []),
  ];
}

export interface ListenerDeps {
  readonly state: State;
  readonly pipeline: Pipeline;
  readonly analyser: SqlAnalyser;
  readonly logger: Logger;
  /** Addresses that are ours, as far as bound by now. */
  readonly own: () => readonly SocketAddress[];
  /** Where a person with a token can look at a ticket. */
  readonly ticketUrl: (ticket: string) => string;
}

export function agentListeners(config: Config, deps: ListenerDeps): AgentListener[] {
  return [...httpListener(config, deps), ...postgresListeners(config, deps)];
}

function httpListener(config: Config, deps: ListenerDeps): AgentListener[] {
  const { http } = config;
  if (!http) return [];
  const { state, pipeline, logger } = deps;
  const create = () =>
    createHttpListener(
      {
        listen: http.listen,
        stateDir: config.state_dir,
        tls: http.tls,
        upstream: { ca: state.trusted, resolve: http.upstream.resolve },
        maxBody: http.inspect.max_body,
        waitMs: config.hold.wait.http,
        ticketUrl: deps.ticketUrl,
      },
      {
        pipeline,
        authority: state.authority,
        own: createOwnAddresses(deps.own),
        clock: machineClock,
        logger,
      },
    );
  let listener: HttpListener | null = null;
  return [
    {
      key: 'http',
      // Made no earlier: what keeps it from being made is told like what keeps it from listening.
      async start() {
        listener = create();
        return listener.start();
      },
      drain: async () => listener?.drain(),
    },
  ];
}

function postgresListeners(config: Config, deps: ListenerDeps): AgentListener[] {
  const { pipeline, analyser, logger } = deps;
  const { wait } = config.hold;
  return config.postgres.map(({ name, listen, upstream }) => {
    const listener = createPostgresListener({
      name,
      listen,
      upstream,
      pipeline,
      analyser,
      clock: machineClock,
      random: randomBytes,
      logger,
      waits: { outside: wait.postgres, inTransaction: wait.in_transaction },
    });
    return { key: `postgres ${name}`, start: () => listener.listen(), drain: () => listener.drain() };
  });
}
