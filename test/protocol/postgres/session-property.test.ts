/** What holds for any conversation, however its octets are split and whatever is answered. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutAt, messagesIn } from './bytes.ts';
import { modelServer } from './model-server.ts';
import { clientMessage, play, serverMessage } from './playbook.ts';
import { analysis } from './sample-analysis.ts';

const sql = fc.constantFrom(
  'select 1',
  'select 2',
  'select fails',
  'select denied',
  'begin',
  'commit',
  'set role bob',
  'selec x',
  '',
);
const statement = fc.constantFrom('-', 's', 't');
const portal = fc.constantFrom('-', 'p');
const line = fc.oneof(
  sql.map((text) => `Q ${text}`),
  fc.tuple(statement, sql).map(([name, text]) => `P ${name}: ${text}`),
  fc.tuple(portal, statement).map(([name, of]) => `B ${name} < ${of}`),
  portal.map((name) => `E ${name}`),
  statement.map((name) => `D S ${name}`),
  statement.map((name) => `C S ${name}`),
  fc.constantFrom('S', 'S', 'H', 'd row', 'c'),
);

interface Result {
  readonly sent: string;
  readonly replied: string;
  readonly ran: readonly string[];
  readonly answered: readonly string[];
}

/** Plays `lines` against the model server, in chunks cut at `cuts`, with answers as soon as they are asked for. */
function converse(
  lines: readonly string[],
  clientCuts: readonly number[],
  serverCuts: readonly number[],
): Result {
  const server = modelServer();
  const played = play(analysis);
  played.perform({ on: 'client octets', chunk: clientMessage('startup') });
  const opening = ['R 0', 'S search_path=public', 'K', 'Z I'].map(serverMessage);
  played.perform({ on: 'server octets', chunk: Buffer.concat(opening) });
  played.sent.length = 0;
  played.replied.length = 0;
  let delivered = 0;

  const settle = (commands: readonly string[]): void => {
    const queue = [...commands];
    for (;;) {
      for (let command = queue.shift(); command !== undefined; command = queue.shift()) {
        const [verb, id, mode, ...text] = command.split(' ');
        if (verb !== 'ask') continue;
        const barred = mode === 'admit' && text[0] === 'barred:';
        const denied = text.includes('denied') || barred || text[0]?.startsWith('barred');
        if (mode?.startsWith('preview')) queue.push(...played.answer(`${denied ? 'refuse' : 'pass'} ${id}`));
        else queue.push(...played.answer(`${denied ? 'deny' : 'allow'} ${id}`));
      }
      const octets = Buffer.concat(played.sent.slice(delivered));
      delivered = played.sent.length;
      if (octets.length === 0) return;
      const answer = server.receive(octets);
      for (const chunk of cutAt(answer, serverCuts))
        if (chunk.length > 0) queue.push(...played.perform({ on: 'server octets', chunk }));
    }
  };
  for (const chunk of cutAt(Buffer.concat(lines.map(clientMessage)), clientCuts))
    if (chunk.length > 0) settle(played.perform({ on: 'client octets', chunk }));
  return {
    sent: Buffer.concat(played.sent).toString('latin1'),
    replied: Buffer.concat(played.replied).toString('latin1'),
    ran: server.ran,
    answered: server.answered,
  };
}

const types = (octets: string): string[] => messagesIn(Buffer.from(octets, 'latin1')).map(({ type }) => type);

describe('any conversation', () => {
  it('is the same however its octets are split', () => {
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 25 }),
        fc.array(fc.nat()),
        fc.array(fc.nat()),
        (lines, client, server) => {
          // In parts, a batch may be known to be skipped before it is looked at: what runs and what is seen is the same.
          const whole = converse(lines, [], []);
          const split = converse(lines, client, server);
          expect(split.ran).toEqual(whole.ran);
          expect(split.replied).toBe(whole.replied);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('runs nothing that was denied or does not parse, and tells of it as the server would', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 25 }), (lines) => {
        const { sent, ran, replied, answered } = converse([...lines, 'S'], [], []);
        expect(ran.filter((text) => /denied|selec x/.test(text))).toEqual([]);
        expect(sent).not.toContain('selec x');
        // A statement that is denied by what is bound to it was prepared before: that is all the server sees of it.
        expect(sent).not.toMatch(/Q.{4}select denied/s);
        expect(replied).not.toContain('holdpoint_');
        // Each answer of the server reaches the client, in its place: nothing is added, nothing is lost.
        expect(types(replied)).toEqual(answered);
      }),
      { numRuns: 500 },
    );
  });

  it('goes by untouched where nothing is refused', () => {
    const harmless = line.filter((one) => !/denied|selec |fails|^[BE] |^d row|^c$/.test(one));
    fc.assert(
      fc.property(fc.array(harmless, { maxLength: 25 }), fc.array(fc.nat()), (lines, cuts) => {
        fc.pre(
          new Set(lines.filter((one) => /^P [st]/.test(one)).map((one) => one.slice(0, 3))).size ===
            lines.filter((one) => /^P [st]/.test(one)).length,
        );
        const { sent } = converse([...lines, 'S'], cuts, []);
        expect(sent).toBe(Buffer.concat([...lines, 'S'].map(clientMessage)).toString('latin1'));
      }),
      { numRuns: 300 },
    );
  });

  it('never throws, and ends on octets that are no protocol', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (octets, opened) => {
        const played = play(analysis);
        if (opened) {
          played.perform({ on: 'client octets', chunk: clientMessage('startup') });
          played.perform({
            on: 'server octets',
            chunk: Buffer.concat(['R 0', 'S search_path=public', 'Z I'].map(serverMessage)),
          });
          played.sent.length = 0;
        }
        played.perform({ on: 'client octets', chunk: Buffer.from(octets) });
        played.perform({ on: 'server octets', chunk: Buffer.from(octets) });
        const permitted = Buffer.concat(played.sent);
        // Nothing was admitted: what went out is plumbing.
        expect(
          opened ? types(permitted.toString('latin1')).filter((type) => 'QBF'.includes(type)) : [],
        ).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });
});
