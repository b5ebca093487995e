/** The control API of a running instance, called as one of its people. */

import type { Person, Running } from './running.ts';

export interface ControlAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export function showTicket(running: Running, person: Person, ticket: string): Promise<ControlAnswer> {
  return call(running, person, `/api/v1/approvals/${ticket}`);
}

export function decideTicket(
  running: Running,
  person: Person,
  ticket: string,
  decision: { readonly decision: 'approve' | 'deny'; readonly reason?: string },
): Promise<ControlAnswer> {
  return call(running, person, `/api/v1/approvals/${ticket}/decision`, decision);
}

async function call(running: Running, person: Person, path: string, body?: object): Promise<ControlAnswer> {
  const response = await fetch(`${running.controlUrl}${path}`, {
    method: body ? 'POST' : 'GET',
    headers: {
      authorization: `Bearer ${person.token}`,
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as ControlAnswer['body'] };
}
