/** What a reviewer has on the desk of a running instance. */

import { showTicket } from '../support/control-api.ts';
import { eventually } from '../support/eventually.ts';
import type { Running } from '../support/running.ts';

export interface SeenTicket {
  readonly id: string;
  readonly state: string;
  readonly closed_reason: string | null;
  readonly display: { readonly title: string; readonly text: string };
}

/** The tickets in one state, newest first. */
export async function ticketsIn(running: Running, state: string): Promise<SeenTicket[]> {
  const response = await fetch(`${running.controlUrl}/api/v1/approvals?state=${state}`, {
    headers: { authorization: `Bearer ${running.reviewer.token}` },
  });
  if (response.status !== 200) throw new Error(`the list of tickets: ${await response.text()}`);
  return ((await response.json()) as { tickets: SeenTicket[] }).tickets;
}

/** Waits until as many as `count` wait for an answer; ids, oldest first. */
export function pending(running: Running, count = 1): Promise<string[]> {
  return eventually(`${count} pending tickets`, async () => {
    const tickets = await ticketsIn(running, 'pending');
    return tickets.length === count && tickets.map(({ id }) => id).reverse();
  });
}

/** The one ticket that waits. */
export async function onlyPending(running: Running): Promise<string> {
  const [id = ''] = await pending(running);
  return id;
}

export async function ticketOf(running: Running, id: string): Promise<SeenTicket> {
  return (await showTicket(running, running.reviewer, id)).body as unknown as SeenTicket;
}

/** Waits until a ticket has come to a state. */
export function inState(running: Running, id: string, state: string): Promise<SeenTicket> {
  return eventually(`${id} to be ${state}`, async () => {
    const ticket = await ticketOf(running, id);
    return ticket.state === state && ticket;
  });
}
