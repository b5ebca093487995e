/**
 * Owns the step from a request as read to the action that the pipeline judges. Must never wait for anything.
 */

import type { Action } from '../../core/admission.ts';
import type { HttpFacts } from '../../core/facts.ts';
import type { Fingerprint } from '../../core/fingerprint.ts';
import type { Refusal } from '../../core/refusal.ts';
import { refusal } from '../../core/refusal.ts';
import type { BodyReading } from './body.ts';
import { fingerprintOf } from './digest.ts';
import { displayOf, recordOf } from './display.ts';
import { httpFacts, tunnelFacts } from './facts.ts';
import type { Destination, HttpRequest, RequestHead } from './request.ts';

export interface HttpAction extends Action {
  readonly facts: HttpFacts;
  readonly fingerprint: Fingerprint;
}

export interface ActionOptions {
  /** Milliseconds that the client may be kept waiting for a person. */
  readonly waitMs: number;
  readonly whole?: NonNullable<Action['whole']>;
}

export function requestAction(request: HttpRequest, options: ActionOptions): HttpAction {
  return assemble(request, httpFacts(request), options);
}

/** @param head Of the CONNECT; its target's path is empty. */
export function tunnelAction(
  head: RequestHead,
  destination: Destination,
  options: ActionOptions,
): HttpAction {
  return assemble({ head, destination, body: UNSEEN }, tunnelFacts(head, destination, UNSEEN), options);
}

/** What can be known of what goes through a tunnel. */
const UNSEEN: BodyReading = {
  size: 0,
  sha256: null,
  parsed: null,
  truncated: true,
  text: null,
  ambiguous: false,
};

function assemble(request: HttpRequest, facts: HttpFacts, options: ActionOptions): HttpAction {
  const barred = barredBy(request.destination, facts);
  return {
    facts,
    fingerprint: fingerprintOf(request.head, facts, request.body.sha256),
    // Only what is held is ever shown.
    get display() {
      return displayOf(request, facts);
    },
    record: recordOf(request, facts),
    ...options,
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
