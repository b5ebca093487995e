/**
 * Plays a session without sockets: `>>` lines are events, `<<` lines the commands that must follow, all of them and in
 * order. Messages are separated by ` | ` and written in short:
 *   client: Q text · P name: text · B portal < statement (values) · E portal [rows] · D S name · C S name · S · H · X · d …
 *   server: 1 · 2 · 3 · T · D … · C tag · E sqlstate text · Z I · K · R 0 · S name=value · G · H · s · I · n · t · N
 * `-` is the empty name. Replies and sends are shown by their message types.
 */

import { serialize } from 'pg-protocol';
import { expect } from 'vitest';
import { mintPermit } from '../../../src/core/permit.ts';
import { refusal } from '../../../src/core/refusal.ts';
import type { Ticket } from '../../../src/core/ticket.ts';
import { Cleared } from '../../../src/protocol/postgres/clearance.ts';
import type { Command, Event } from '../../../src/protocol/postgres/events.ts';
import { createSession, type Session } from '../../../src/protocol/postgres/session.ts';
import type { SqlAnalysis } from '../../../src/protocol/sql/analysis.ts';
import { int32, message, messagesIn, startup } from './bytes.ts';

const name = (text = '-'): string => (text === '-' ? '' : text);

export function clientMessage(line: string): Buffer {
  const [kind = '', ...rest] = line.split(' ');
  const text = rest.join(' ');
  switch (kind) {
    case 'Q':
      return serialize.query(text);
    case 'P': {
      const [statement, ...sql] = text.split(': ');
      return serialize.parse({ name: name(statement), text: sql.join(': ') });
    }
    case 'B': {
      const match = /^(\S+) < (\S+)(?: \((.*)\))?$/.exec(text);
      const values = match?.[3] === undefined ? [] : match[3].split(',');
      return serialize.bind({ portal: name(match?.[1]), statement: name(match?.[2]), values });
    }
    case 'E':
      return serialize.execute({ portal: name(rest[0]), rows: Number(rest[1] ?? 0) });
    case 'D':
      return serialize.describe({ type: rest[0] === 'P' ? 'P' : 'S', name: name(rest[1]) });
    case 'C':
      return serialize.close({ type: rest[0] === 'P' ? 'P' : 'S', name: name(rest[1]) });
    case 'startup':
      return startup(0, { user: 'ann', database: 'app' });
    default:
      return message(kind, text);
  }
}

export function serverMessage(line: string): Buffer {
  const [kind = '', ...rest] = line.split(' ');
  const text = rest.join(' ');
  switch (kind) {
    case 'R':
      return message('R', int32(Number(text)));
    case 'K':
      return message('K', Buffer.concat([int32(77), int32(88)]));
    case 'S':
      return message('S', `${text.replace('=', '\0')}\0`);
    case 'C':
      return message('C', `${text}\0`);
    case 'E':
      return message('E', `SERROR\0VERROR\0C${rest[0]}\0M${rest.slice(1).join(' ')}\0\0`);
    case 'FATAL':
      return message('E', `SFATAL\0VFATAL\0C${rest[0]}\0M${rest.slice(1).join(' ')}\0\0`);
    case 't':
      return message('t', Buffer.alloc(2));
    default:
      return message(kind, text);
  }
}

export interface Played {
  readonly session: Session;
  /** All that the server was sent, and the client. */
  readonly sent: Buffer[];
  readonly replied: Buffer[];
  perform(event: Event): string[];
  answer(what: string): string[];
}

export function play(cached: (text: string) => SqlAnalysis | null): Played {
  const questions = new Map<number, string>();
  const sent: Buffer[] = [];
  const replied: Buffer[] = [];
  const session = createSession({
    digest: 'session',
    permit: mintPermit('session', 'd', 'session', null),
    cancelKey: { pid: 4711, secret: Buffer.alloc(32, 7) },
    substitutionSecret: Buffer.alloc(32, 9),
    waits: { outside: 300, inTransaction: 20 },
    cached,
  });

  function show(command: Command): string {
    switch (command.do) {
      case 'send': {
        const octets = Buffer.concat(Cleared.gather(command.cleared));
        sent.push(octets);
        // The startup packet has no type.
        return `send ${octets[0] === 0 ? 'startup' : shown(octets)}`;
      }
      case 'reply':
        replied.push(...command.octets);
        return `reply ${shown(Buffer.concat(command.octets))}`;
      case 'ask': {
        const { mode, action } = command.question;
        questions.set(command.id, action.fingerprint.exact);
        const sql = action.facts.kind === 'postgres' ? action.facts.sql.text : '';
        return `ask ${command.id} ${mode}${action.barred ? ' barred' : ''}: ${sql}`;
      }
      case 'withdraw':
        return `withdraw ${command.id}`;
      case 'settle':
        return `settle ${command.outcome.status}`;
      case 'analyse':
        return `analyse ${command.text}`;
      case 'end':
        return `end: ${command.why}`;
      case 'key':
        return `key ${command.ours.pid} for ${command.server.pid}`;
      default:
        return command.do;
    }
  }

  const perform = (event: Event): string[] => session.receive(event).map(show);
  return {
    session,
    sent,
    replied,
    perform,
    answer(what) {
      const [verb, number] = what.split(' ');
      const id = Number(number);
      const permit = mintPermit('action', 'd', questions.get(id) ?? '', null);
      const denied = refusal('policy_denied', 'denied');
      switch (verb) {
        case 'allow':
          return perform({
            on: 'admitted',
            id,
            admission: { permit, decision: {} as never, ticket: null },
          });
        case 'deny':
          return perform({ on: 'admitted', id, admission: { refusal: denied } });
        case 'pass':
          return perform({ on: 'previewed', id, refusal: null });
        case 'refuse':
          return perform({ on: 'previewed', id, refusal: denied });
        default:
          return perform({ on: 'held', id, ticket: { id: 'HP-00000001', message: '' } as Ticket });
      }
    },
  };
}

function shown(octets: Buffer): string {
  return messagesIn(octets)
    .map(({ type, body }) => {
      if (type === 'Z') return `Z ${body}`;
      if (type === 'E' && body[0] === 'S'.charCodeAt(0))
        return `E ${/\0C(\w{5})/.exec(body.toString('latin1'))?.[1]}`;
      return type;
    })
    .join(' | ');
}

/** Session already open, unless the script opens it. */
export function playbook(script: string, cached: (text: string) => SqlAnalysis | null): void {
  const played = play(cached);
  if (!script.includes('startup')) {
    played.perform({ on: 'client octets', chunk: clientMessage('startup') });
    const opening = ['R 0', 'S search_path=public', 'K', 'Z I'].map(serverMessage);
    played.perform({ on: 'server octets', chunk: Buffer.concat(opening) });
  }
  let got: string[] = [];
  let where = 'the beginning';
  for (const line of script.split('\n').map((one) => one.trim())) {
    if (line.startsWith('<< ')) {
      expect(got.shift(), `after ${where}`).toBe(line.slice(3));
      continue;
    }
    if (!line.startsWith('>> ')) continue;
    expect(got, `more after ${where}`).toEqual([]);
    where = line;
    const [side = '', ...rest] = line.slice(3).split(' ');
    const messages = rest.join(' ').split(' | ');
    if (line === '>> client closed') got = played.perform({ on: 'client closed' });
    else if (line === '>> server closed') got = played.perform({ on: 'server closed', why: null });
    else if (side === 'client')
      got = played.perform({ on: 'client octets', chunk: Buffer.concat(messages.map(clientMessage)) });
    else if (side === 'server')
      got = played.perform({ on: 'server octets', chunk: Buffer.concat(messages.map(serverMessage)) });
    else if (side === 'analysed') {
      const text = rest.join(' ');
      const analysis = cached(`now: ${text}`);
      if (analysis) got = played.perform({ on: 'analysed', text, analysis: { ...analysis, text } });
    } else if (side === 'cancel' || side === 'drain') got = played.perform({ on: side });
    else got = played.answer(line.slice(3));
  }
  expect(got, `more after ${where}`).toEqual([]);
}
