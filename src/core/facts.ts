/**
 * Owns the facts: the JSON document that policy sees as `input` (design section 3, a contract).
 * Key names are the contract's own (snake_case). Must never know how facts are gathered or judged.
 */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Who the proxy acts beside. From configuration only: an agent never names itself. */
export interface Agent {
  readonly id: string;
  readonly owner: string;
  readonly environment: string;
  readonly purpose: string;
  readonly labels: Readonly<Record<string, string>>;
}

export type Access = 'read' | 'write' | 'admin' | 'unknown';
export type DestinationClass = 'public' | 'private' | 'loopback' | 'link_local' | 'metadata';

/** What a call means in its API's own words; all null and `unknown` when nothing recognises it. */
export interface ActionFacts {
  service: string | null;
  operation: string | null;
  resource: string | null;
  namespace: string | null;
  name: string | null;
  subresource: string | null;
  access: Access;
  tags: string[];
}

export interface HttpFacts {
  kind: 'http';
  attributes: {
    request: {
      http: {
        method: string;
        /** Path with query, as it will be sent. */
        path: string;
        host: string;
        scheme: string;
        protocol: string;
        /** Lower-case names; repeated fields joined with `, `. Credentials are redacted. */
        headers: Record<string, string>;
        /** Body octets; -1 when not known yet. */
        size: number;
      };
    };
    destination: {
      address: { socketAddress: { address: string; portValue: number } };
    };
  };
  parsed_path: string[];
  parsed_query: Record<string, string[]>;
  parsed_body: Json;
  truncated_body: boolean;
  http: {
    /** Raw, undecoded path segments. */
    segments: string[];
    ambiguous: boolean;
    upgrade: string | null;
    tls: { sni: string | null; intercepted: boolean };
    destination_class: DestinationClass;
    body_sha256: string | null;
  };
  action: ActionFacts;
}

export interface RelationName {
  schema: string | null;
  name: string;
}

export interface FunctionName {
  schema: string | null;
  name: string;
}

/** One top-level statement. `node` and `nested` are libpg_query node names. */
export interface StatementFacts {
  node: string;
  nested: string[];
  command: string;
  reads: RelationName[];
  writes: RelationName[];
  functions: FunctionName[];
  limit: number | null;
  flags: string[];
  /**
   * Settings that it changes, lower case, `*` for all of them; `transaction_read_write` for SET TRANSACTION READ WRITE.
   * Absent where there are none, or where the text does not name them all.
   */
  settings?: string[];
}

export type SqlProtocol = 'simple' | 'extended' | 'copy' | 'fastpath' | 'replication';

export interface ParameterFacts {
  /** Text form; binary values that cannot be rendered are `\x…` hex; null is SQL NULL. */
  value: string | null;
  type: string;
  format: 'text' | 'binary';
}

export interface SqlFacts {
  database: string;
  user: string;
  role: string;
  search_path: string[];
  in_transaction: boolean;
  protocol: SqlProtocol;
  text: string;
  /** 16 hex digits, or empty where there is no text to fingerprint. Groups alike statements; never a key. */
  fingerprint: string;
  parameters: ParameterFacts[];
  parsed: boolean;
  error: string | null;
  statements: StatementFacts[];
  flags: string[];
  estimate: { rows: number; cost: number } | null;
  resolved: { schema: string; name: string; kind: string }[] | null;
}

export interface PostgresFacts {
  kind: 'postgres';
  sql: SqlFacts;
}

export type Facts = HttpFacts | PostgresFacts;

/** The whole Rego `input`. `time` is RFC 3339. */
export type PolicyInput = Facts & { version: 1; agent: Agent; time: string };

/** Stamps who and when on to what. */
export function policyInput(facts: Facts, agent: Agent, now: number): PolicyInput {
  return { version: 1, agent, time: new Date(now).toISOString(), ...facts };
}
