/** Owns the metrics and their text form at /metrics. Must never take a label whose values an agent chooses. */

import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import type { Meter } from '../core/ports.ts';

export interface Metrics extends Meter {
  /** Prometheus text exposition. */
  text(): Promise<{ contentType: string; body: string }>;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const decisions = new Counter({
    name: 'holdpoint_decisions_total',
    help: 'Decisions by policy, by kind and effect.',
    labelNames: ['kind', 'effect'],
    registers,
  });
  const deciding = new Histogram({
    name: 'holdpoint_decision_seconds',
    help: 'Time from the question to policy to its answer.',
    labelNames: ['kind'],
    buckets: [0.0001, 0.0005, 0.001, 0.005, 0.02, 0.1, 0.5, 1],
    registers,
  });
  const refusals = new Counter({
    name: 'holdpoint_refusals_total',
    help: 'Actions refused, by kind and code.',
    labelNames: ['kind', 'code'],
    registers,
  });
  const waits = new Histogram({
    name: 'holdpoint_hold_wait_seconds',
    help: 'Time that clients waited for a person, by how the wait ended.',
    labelNames: ['end'],
    buckets: [1, 5, 15, 60, 300, 900, 3600],
    registers,
  });
  return {
    decided(kind, effect, seconds) {
      decisions.inc({ kind, effect });
      deciding.observe({ kind }, seconds);
    },
    refused(kind, code) {
      refusals.inc({ kind, code });
    },
    waited(end, seconds) {
      waits.observe({ end }, seconds);
    },
    async text() {
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}
