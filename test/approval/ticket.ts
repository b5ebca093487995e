/** A ticket to look at. */

import type { Ticket } from '../../src/core/ticket.ts';

export function ticketOf(more: Partial<Ticket> = {}): Ticket {
  return {
    id: 'HP-7K3MQ9ZT',
    state: 'pending',
    parked: false,
    agent: {
      id: 'billing-bot',
      owner: 'dana@example.com',
      environment: 'production',
      purpose: 'nightly reconciliation',
      labels: {},
    },
    kind: 'postgres',
    fingerprint: {
      exact: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
      shape: '50fde99373b04363',
    },
    display: {
      title: 'SELECT reading customers',
      text: 'SELECT * FROM customers',
      fields: [
        { name: 'Database', value: 'app' },
        { name: 'User', value: 'agent' },
      ],
    },
    rules: [
      { id: 'postgres.bulk_export', reason: 'reads all of customers', severity: 'high', controls: ['CC6.1'] },
      { id: 'postgres.no_limit', reason: 'no LIMIT', severity: 'medium', controls: [] },
    ],
    requirements: [{ groups: ['data-owners'], quorum: 1 }],
    message: 'held: reads all of customers',
    revision: 'builtin-1',
    openedAt: Date.parse('2026-11-02T10:00:00Z'),
    expiresAt: Date.parse('2026-11-02T11:00:00Z'),
    closedAt: null,
    closedReason: null,
    answers: [],
    ...more,
  };
}
