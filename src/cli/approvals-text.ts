/**
 * Owns how a ticket reads in a terminal. What an agent wrote is shown, never obeyed: escape sequences, carriage returns
 * and bidirectional overrides come out as visible escapes, and each line of its text carries a bar of ours.
 */

import type { TicketDocument } from '../approval/api-ticket.ts';

/** Controls but for line feed and tab, and what hides text, turns it round or breaks its lines. */
const UNSAFE = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Text of several lines, safe to print. */
export function printable(text: string): string {
  return text.replace(UNSAFE, escaped);
}

/** The same on one line. */
export function printableLine(text: string): string {
  return printable(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t');
}

/** JSON that a terminal can be shown: JSON.stringify leaves C1 and overrides as they are. */
export function printableJson(document: unknown): string {
  return `${JSON.stringify(document, null, 2).replace(UNSAFE, escaped)}\n`;
}

export function ticketText(ticket: TicketDocument): string {
  const { agent, display, rules, requirements, answers } = ticket;
  const fields: [string, string][] = [
    ['agent', `${agent.id} (${agent.environment})`],
    ['owner', agent.owner],
    ['purpose', agent.purpose],
    ...Object.entries(agent.labels).map(([name, value]): [string, string] => [`label ${name}`, value]),
    ...display.fields.map(({ name, value }): [string, string] => [name, value]),
    ['opened', ticket.opened_at],
    ['expires', ticket.expires_at],
    ...rules.map(({ id, reason, severity }): [string, string] => [
      'because',
      `${reason} [${severity}, ${id}]`,
    ]),
    ...requirements.map(({ groups, quorum, have }): [string, string] => [
      'needs',
      `${quorum} of ${groups.join(', ')} (${have} so far)`,
    ]),
    ...answers.map(({ person, decision, reason, via, at }): [string, string] => [
      decision === 'approve' ? 'approved by' : 'denied by',
      `${person}, ${via}, ${at}${reason === null ? '' : `: ${reason}`}`,
    ]),
    ...(ticket.closed_at === null || ticket.closed_reason === null
      ? []
      : [[ticket.state, ticket.closed_reason] as [string, string]]),
    ['policy', ticket.revision],
    ['digest', ticket.fingerprint.exact],
  ];
  const width = Math.max(...fields.map(([name]) => printableLine(name).length));
  return [
    `${ticket.id}  ${ticket.state}${ticket.parked ? ', the client was told to come back' : ''}`,
    `  ${printableLine(display.title)}`,
    '',
    ...fields.map(([name, value]) => `  ${printableLine(name).padEnd(width)}  ${printableLine(value)}`),
    '',
    '  What would run, whole:',
    ...printable(display.text)
      .split('\n')
      .map((line) => `  │ ${line}`),
    '',
  ].join('\n');
}

export function listText(tickets: readonly TicketDocument[], more: boolean): string {
  if (tickets.length === 0) return 'Nothing here.\n';
  const rows = tickets.map(({ id, state, expires_at, agent, display }) =>
    [id, state, `${expires_at.slice(0, 19)}Z`, agent.id, agent.owner, display.title].map(printableLine),
  );
  const table = [['TICKET', 'STATE', 'EXPIRES', 'AGENT', 'OWNER', 'ACTION'], ...rows];
  const widths = table.reduce<number[]>(
    (most, row) => row.map((cell, at) => Math.max(cell.length, most[at] ?? 0)),
    [],
  );
  const lines = table.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n${more ? 'There are more: raise --limit.\n' : ''}`;
}

/** As JSON writes it: one `\u` for each UTF-16 code unit. */
function escaped(character: string): string {
  const units = character.split('');
  return units.map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
}
