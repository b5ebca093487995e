/**
 * Owns `holdpoint approvals list|show|approve|deny`: the terminal as a door to a running Holdpoint, over its API.
 * Must never touch the store or the log itself.
 */

import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { TicketDocument } from '../approval/api-ticket.ts';
import { LIMITS } from '../core/limits.ts';
import { TRANSITIONS } from '../core/ticket.ts';
import {
  type ConnectionOptions,
  connectionOf,
  decideTicket,
  listTickets,
  showTicket,
} from './approvals-client.ts';
import { listText, printableJson, ticketText } from './approvals-text.ts';

export interface ApprovalsDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** To standard output. */
  readonly write: (text: string) => void;
}

type Shown = ConnectionOptions & { readonly json?: true };

/** Actions throw CommandFailed with the exit code. */
export function registerApprovals(program: Command, { env, write }: ApprovalsDeps): void {
  const approvals = program.command('approvals').description('see what waits for approval, and answer it');
  const print = (ticket: TicketDocument, json: true | undefined) =>
    write(json ? printableJson(ticket) : ticketText(ticket));

  connectable(approvals.command('list').description('the tickets, newest first'))
    .option('--state <states>', 'of these states, comma-separated, or "all"', states, 'pending')
    .option('--limit <count>', `at most so many, up to ${LIMITS.controlPage}`, count, 50)
    .action(async (options: Shown & { state: string; limit: number }) => {
      const to = connectionOf(options, env, 'read');
      const page = await listTickets(to, options.state === 'all' ? null : options.state, options.limit);
      write(options.json ? printableJson(page) : listText(page.tickets, page.next !== null));
    });

  connectable(approvals.command('show').description('one ticket, whole'))
    .argument('<id>', ID)
    .action(async (id: string, options: Shown) => {
      print(await showTicket(connectionOf(options, env, 'read'), id), options.json);
    });

  for (const decision of ['approve', 'deny'] as const) {
    connectable(approvals.command(decision).description(`${decision} one ticket, in your own name`))
      .argument('<id>', ID)
      .option('--reason <text>', 'for the agent and the log')
      .action(async (id: string, options: Shown & { reason?: string }) => {
        const { reason } = options;
        const body = { decision, ...(reason === undefined ? {} : { reason }) };
        print(await decideTicket(connectionOf(options, env, 'answer'), id, body), options.json);
      });
  }
}

const ID = 'HP-…, or "latest": the newest that is pending';

function connectable(command: Command): Command {
  return command
    .option('--url <url>', 'the control address (HOLDPOINT_URL; default http://127.0.0.1:3180)')
    .option('--config <file>', 'take the control address from a configuration')
    .option('--token <token>', 'a bearer token (HOLDPOINT_TOKEN)')
    .option('--token-file <file>', 'a file with a bearer token')
    .option('--json', 'as JSON');
}

function states(text: string): string {
  const known = text === 'all' || text.split(',').every((state) => Object.hasOwn(TRANSITIONS, state));
  if (!known) throw new InvalidArgumentError(`Known are ${Object.keys(TRANSITIONS).join(', ')}, and all.`);
  return text;
}

function count(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= LIMITS.controlPage) return value;
  throw new InvalidArgumentError(`Expected a number from 1 to ${LIMITS.controlPage}.`);
}
