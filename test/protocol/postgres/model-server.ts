/**
 * A server that keeps to the protocol and does nothing else: it answers each message as PostgreSQL would, fails what
 * carries `fails` or a word of ours, skips to Sync after an error, and remembers what it ran.
 */

import { message, messagesIn } from './bytes.ts';

export interface ModelServer {
  /** What it answers to these octets. */
  receive(octets: Buffer): Buffer;
  /** Texts that ran, in order. */
  readonly ran: string[];
  /** Types of all that it answered. */
  readonly answered: string[];
}

export function modelServer(): ModelServer {
  const statements = new Map<string, string>();
  const portals = new Map<string, string>();
  const ran: string[] = [];
  let skipping = false;

  const error = (sqlstate: string, text: string): Buffer =>
    message('E', `SERROR\0VERROR\0C${sqlstate}\0M${text}\0\0`);
  const ready = (): Buffer => message('Z', 'I');
  const fails = (text: string): boolean => /^holdpoint_|fails/.test(text);
  const run = (text: string): Buffer => {
    ran.push(text);
    return Buffer.concat([message('D', text), message('C', 'SELECT 1\0')]);
  };
  const extended = (reply: () => Buffer | null): Buffer => {
    if (skipping) return Buffer.alloc(0);
    const answer = reply();
    if (answer !== null) return answer;
    skipping = true;
    return Buffer.alloc(0);
  };
  const failing = (sqlstate: string, text: string): Buffer => {
    skipping = true;
    return error(sqlstate, text);
  };

  function one(type: string, body: Buffer): Buffer {
    const fields = body.toString('utf8').split('\0');
    const [first = '', second = ''] = fields;
    switch (type) {
      case 'Q':
        if (skipping) return Buffer.alloc(0);
        statements.delete('');
        portals.clear();
        if (first === '') return Buffer.concat([message('I'), ready()]);
        return Buffer.concat([
          fails(first) ? error('42601', `near "${first.split(' ')[0]}"`) : run(first),
          ready(),
        ]);
      case 'P':
        return extended(() => {
          if (fails(second)) return failing('42601', `near "${second.split(' ')[0]}"`);
          if (first !== '' && statements.has(first)) return failing('42P05', 'already exists');
          statements.set(first, second);
          return message('1');
        });
      case 'B':
        return extended(() => {
          const text = statements.get(second);
          if (text === undefined) return failing('26000', 'does not exist');
          portals.set(first, text);
          return message('2');
        });
      case 'E':
        return extended(() => {
          const text = portals.get(first);
          if (text === undefined) return failing('34000', 'does not exist');
          return run(text);
        });
      case 'D':
        return extended(() =>
          first.startsWith('S') ? Buffer.concat([message('t', Buffer.alloc(2)), message('n')]) : message('n'),
        );
      case 'C':
        return extended(() => {
          (first.startsWith('S') ? statements : portals).delete(first.slice(1));
          return message('3');
        });
      case 'S':
        skipping = false;
        portals.clear();
        return ready();
      default:
        return Buffer.alloc(0);
    }
  }

  let partial = Buffer.alloc(0);
  return {
    ran,
    answered: [],
    receive(octets) {
      partial = Buffer.concat([partial, octets]);
      const messages = messagesIn(partial);
      partial = partial.subarray(messages.reduce((sum, { body }) => sum + body.length + 5, 0));
      const answer = Buffer.concat(messages.map(({ type, body }) => one(type, body)));
      this.answered.push(...messagesIn(answer).map(({ type }) => type));
      return answer;
    },
  };
}
