/**
 * Owns inputs that a new policy thread runs before it is ready, so that its code is compiled when a request comes.
 * Must never count as a decision.
 */

import { type PolicyInput, policyInput } from '../core/facts.ts';

const agent = { id: 'holdpoint', owner: '', environment: '', purpose: '', labels: {} };
const NOON = 1_767_268_800_000;

export const WARM_UP: readonly PolicyInput[] = [
  policyInput(
    {
      kind: 'postgres',
      sql: {
        database: '',
        user: '',
        role: '',
        search_path: [],
        in_transaction: false,
        protocol: 'extended',
        text: '',
        fingerprint: '',
        parameters: [],
        parsed: true,
        error: null,
        statements: [
          {
            node: 'SelectStmt',
            nested: [],
            command: 'SELECT',
            reads: [{ schema: 'holdpoint', name: 'warm_up' }],
            writes: [],
            functions: [],
            limit: 1,
            flags: ['has_where', 'has_limit'],
          },
        ],
        flags: ['has_where', 'has_limit'],
        estimate: null,
        resolved: null,
      },
    },
    agent,
    NOON,
  ),
  policyInput(
    {
      kind: 'http',
      attributes: {
        request: {
          http: {
            method: 'GET',
            path: '/',
            host: 'holdpoint.invalid',
            scheme: 'https',
            protocol: 'HTTP/1.1',
            headers: {},
            size: 0,
          },
        },
        destination: { address: { socketAddress: { address: '192.0.2.1', portValue: 443 } } },
      },
      parsed_path: [''],
      parsed_query: {},
      parsed_body: null,
      truncated_body: false,
      http: {
        segments: [''],
        ambiguous: false,
        upgrade: null,
        tls: { sni: 'holdpoint.invalid', intercepted: true },
        destination_class: 'public',
        body_sha256: null,
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
      },
    },
    agent,
    NOON,
  ),
];
