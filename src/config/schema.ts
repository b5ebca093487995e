/**
 * Owns the one declaration of holdpoint.yaml (design section 10, a contract): validation, types, JSON Schema.
 * A key that nothing reads must not be here: what is not built is refused as unknown.
 */

import { z } from 'zod';
import { duration, hostGlob, listen, postgresUpstream, size } from './scalars.ts';

/** Said of keys whose feature is not built: they may be written only to say that there is none of it. */
const none = (what: string) =>
  z.null(`${what} is not offered by this version: leave it out, or null`).optional();
const noneOf = (what: string) =>
  z.array(z.never()).max(0, `${what} are not offered by this version`).optional();

const agent = z.strictObject({
  id: z.string().min(1).describe('Who the proxy runs beside.'),
  owner: z.string().min(1).describe('The person it acts for. The owner can never approve its requests.'),
  environment: z.string().min(1),
  purpose: z.string().min(1),
  labels: z.record(z.string(), z.string()).default({}),
});

const http = z.strictObject({
  listen,
  tls: z
    .strictObject({
      intercept: z.boolean().default(true).describe('Read HTTPS with certificates of the local authority.'),
      bypass: z.array(hostGlob).default([]).describe('Hosts tunnelled unread; policy still decides by host.'),
    })
    .prefault({}),
  upstream: z
    .strictObject({
      ca: z.array(z.string()).default([]).describe('PEM files trusted beside the system roots.'),
      proxy: none('http.upstream.proxy'),
      resolve: z
        .record(
          z.string().regex(/^.+:\d+$/, 'expected host:port'),
          z.string().regex(/^.+:\d+$/, 'expected address:port'),
        )
        .default({})
        .describe('host:port to address:port, as curl --resolve.'),
    })
    .prefault({}),
  inspect: z.strictObject({ max_body: size.prefault('1MiB') }).prefault({}),
  routes: noneOf('http.routes'),
  credentials: noneOf('http.credentials'),
});

const postgres = z.strictObject({
  name: z.string().regex(/^[a-z0-9_-]+$/i),
  listen,
  upstream: postgresUpstream,
  tls: z
    .strictObject({
      mode: z.literal('disable', 'this version speaks plaintext to the server: only "disable" can be chosen'),
      ca: none('postgres.tls.ca'),
    })
    .optional(),
  auth: z.literal('passthrough', 'this version offers only "passthrough"').default('passthrough'),
});

const policy = z.strictObject({
  bundle: z.string().default('builtin').describe('builtin, a directory, or a bundle.tar.gz.'),
  data: z.string().optional().describe('YAML laid over policies/data.yaml key by key.'),
  mode: z.enum(['enforce', 'shadow']).default('enforce'),
});

const hold = z.strictObject({
  wait: z
    .strictObject({
      http: duration.prefault('50s'),
      postgres: duration.prefault('5m'),
      in_transaction: duration.prefault('20s'),
    })
    .prefault({}),
  expires: duration
    .prefault('1h')
    .describe('Unanswered after this = expired, where the decision names no time.'),
  max_pending: z.int().min(1).max(10_000).default(100).describe('Pending tickets per agent.'),
});

const person = z.strictObject({
  id: z.string().min(1),
  slack: z
    .string()
    .regex(/^[UW][A-Z0-9]+$/, 'expected a Slack user id such as U0123456789')
    .optional(),
  groups: z.array(z.string().min(1)).default([]),
});

const token = z.union(
  [
    z.strictObject({
      person: z.string(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/i, 'expected 64 hex digits'),
    }),
    z.strictObject({ person: z.string(), file: z.string() }),
  ],
  'expected { person, sha256 } or { person, file }',
);

const slackCommon = {
  bot_token: z.string().min(1),
  channel: z.string().min(1),
  api_url: z.url().optional(),
};
const slack = z.discriminatedUnion('mode', [
  z.strictObject({
    mode: z.literal('socket'),
    app_token: z.string().min(1),
    ...slackCommon,
  }),
  z.strictObject({
    mode: z.literal('http'),
    signing_secret: z.string().min(1),
    listen,
    ...slackCommon,
  }),
]);

const approvals = z.strictObject({
  people: z.array(person).default([]),
  tokens: z.array(token).default([]),
  slack: slack.nullish(),
  teams: none('approvals.teams'),
});

export const configSchema = z.strictObject({
  version: z.literal(1),
  state_dir: z
    .string()
    .min(1)
    .describe('Certificate authority, store, audit log, operator token; created 0700.'),
  agent,
  http: http.optional(),
  postgres: z.array(postgres).default([]),
  policy: policy.prefault({}),
  sql: z.strictObject({ cross_check: z.boolean().default(false) }).prefault({}),
  hold: hold.prefault({}),
  approvals: approvals.prefault({}),
  audit: z
    .strictObject({
      capture: z.enum(['redacted', 'full', 'none']).default('redacted'),
      sinks: noneOf('audit.sinks'),
    })
    .prefault({}),
  control: z.strictObject({ listen: listen.prefault('127.0.0.1:3180') }).prefault({}),
  store: z
    .strictObject({
      url: z.literal('sqlite:', 'this version offers only "sqlite:"').default('sqlite:'),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
    })
    .prefault({}),
  embedded_postgres: z
    .strictObject({ data_dir: z.string(), listen, sample: z.string() })
    .optional()
    .describe('A private PostgreSQL with sample data, for trying Holdpoint out. Never for production.'),
});

export type Config = z.output<typeof configSchema>;

/** The JSON Schema of the file as people write it. */
export function configJsonSchema(): object {
  return z.toJSONSchema(configSchema, { io: 'input' });
}
