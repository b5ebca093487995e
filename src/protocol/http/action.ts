/**
 * Owns the step from a request as read to the action that the pipeline judges. Must never wait for anything.
 */

import type { Action } from '../../core/admission.ts';
import type { HttpFacts } from '../../core/facts.ts';
import type { Fingerprint } from '../../core/fingerprint.ts';
import type { Refusal } from '../../core/refusal.ts';
import { refusal } from '../../core/refusal.ts';
import { fingerprintOf } from './digest.ts';
import { displayOf, recordOf } from './display.ts';
import { httpFacts, tunnelFacts } from './facts.ts';
import type { Destination, HttpRequest, RequestHead } from './request.ts';

export interface HttpAction extends Action {
  readonly facts: HttpFacts;
  readonly fingerprint: Fingerprint;
}

export function requestAction(request: HttpRequest, waitMs: number): HttpAction {
  return assemble(request, httpFacts(request), waitMs);
}

/** @param head Of the CONNECT; its target's path is empty. */
export function tunnelAction(head: RequestHead, destination: Destination, waitMs: number): HttpAction {
  const body = { size: 0, sha256: null, parsed: null, truncated: true, text: null, ambiguous: false };
  return assemble({ head, destination, body }, tunnelFacts(head, destination), waitMs);
}

function assemble(request: HttpRequest, facts: HttpFacts, waitMs: number): HttpAction {
  const barred = barredBy(request.destination, facts);
  return {
    facts,
    fingerprint: fingerprintOf(request.head, facts, request.body.sha256),
    display: displayOf(request, facts),
    record: recordOf(request, facts),
    waitMs,
    ...(barred && { barred }),
  };
}

/** Upgrades that a server may always ignore (RFC 9110 section 7.8), and that clients offer unasked. */
const OPTIONAL_UPGRADES = /^(?:h2c?|tls\/)/;

function barredBy(destination: Destination, facts: HttpFacts): Refusal | null {
  if (destination.self) {
    return refusal('destination_self', 'the request would come back to Holdpoint itself');
  }
  const { upgrade } = facts.http;
  if (upgrade !== null && !OPTIONAL_UPGRADES.test(upgrade)) {
    return refusal('protocol_unsupported', `an upgrade to ${upgrade.slice(0, 40)} is not carried`);
  }
  return null;
}
