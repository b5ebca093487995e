/** Inputs for tests of policy: whole documents by what matters in them. */

import {
  type Agent,
  type HttpFacts,
  type PolicyInput,
  policyInput,
  type SqlFacts,
  type StatementFacts,
} from '../../src/core/facts.ts';

export const AGENT: Agent = {
  id: 'bot',
  owner: 'dana@example.com',
  environment: 'test',
  purpose: 'tests',
  labels: {},
};
const NOON = Date.UTC(2026, 0, 1, 12);

export function statement(more: Partial<StatementFacts> = {}): StatementFacts {
  return {
    node: 'SelectStmt',
    nested: [],
    command: 'SELECT',
    reads: [],
    writes: [],
    functions: [],
    limit: null,
    flags: [],
    ...more,
  };
}

export function sqlFacts(statements: StatementFacts[], more: Partial<SqlFacts> = {}): SqlFacts {
  return {
    database: 'app',
    user: 'agent',
    role: 'agent',
    search_path: ['public'],
    in_transaction: false,
    protocol: 'simple',
    text: '…',
    fingerprint: '',
    parameters: [],
    parsed: true,
    error: null,
    statements,
    flags: [...new Set(statements.flatMap((one) => one.flags))],
    estimate: null,
    resolved: null,
    ...more,
  };
}

export function sqlInput(
  statements: StatementFacts[],
  more: Partial<SqlFacts> = {},
  agent: Partial<Agent> = {},
): PolicyInput {
  return policyInput({ kind: 'postgres', sql: sqlFacts(statements, more) }, { ...AGENT, ...agent }, NOON);
}

export interface Call {
  readonly method?: string;
  readonly host?: string;
  readonly action?: Partial<HttpFacts['action']>;
  readonly http?: Partial<HttpFacts['http']>;
  readonly body?: HttpFacts['parsed_body'];
}

export function httpInput({
  method = 'GET',
  host = 'api.github.com',
  action,
  http,
  body = null,
}: Call): PolicyInput {
  return policyInput(
    {
      kind: 'http',
      attributes: {
        request: {
          http: { method, path: '/', host, scheme: 'https', protocol: 'HTTP/1.1', headers: {}, size: 0 },
        },
        destination: { address: { socketAddress: { address: '192.0.2.1', portValue: 443 } } },
      },
      parsed_path: [''],
      parsed_query: {},
      parsed_body: body,
      truncated_body: false,
      http: {
        segments: [''],
        ambiguous: false,
        upgrade: null,
        tls: { sni: null, intercepted: true },
        destination_class: 'public',
        body_sha256: null,
        ...http,
      },
      action: {
        service: null,
        operation: null,
        resource: null,
        namespace: null,
        name: null,
        subresource: null,
        access: 'read',
        tags: [],
        ...action,
      },
    },
    AGENT,
    NOON,
  );
}
