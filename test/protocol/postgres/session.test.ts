/** Sessions, as transcripts. */

import { describe, expect, it } from 'vitest';
import { playbook } from './playbook.ts';
import { analysis } from './sample-analysis.ts';

const book = (script: string): void => playbook(script, analysis);

describe('opening', () => {
  it('dials when the startup message is in, relays the authentication, and keeps the server’s key', () =>
    book(`
      >> client startup
      << dial
      << send startup
      >> server R 5
      << reply R
      >> client p secret
      << send p
      >> server R 0 | S search_path=public | K | Z I
      << key 4711 for 77
      << reply R | S | K | Z I`));

  it('asks for search_path where it is not reported, unseen by the client', () =>
    book(`
      >> client startup
      << dial
      << send startup
      >> server R 0 | S TimeZone=UTC | K | Z I
      << key 4711 for 77
      << send Q
      << reply R | S | K
      >> client Q select 1
      >> server T | D \0\x01\0\0\0\x01a | C SHOW | Z I
      << reply Z I
      << ask 1 admit: select 1`));

  it('ends when the server reads text in another encoding', () =>
    book(`
      >> client startup
      << dial
      << send startup
      >> server R 0 | S client_encoding=LATIN1
      << reply R
      << reply E 42501
      << send X
      << end: client_encoding became LATIN1; a session through Holdpoint has UTF8`));

  it('ends when the server is not there', () =>
    book(`
      >> client startup
      << dial
      << send startup
      >> server closed
      << reply E 08001
      << send X
      << end: the server closed the connection unexpectedly`));

  it('takes nothing but authentication before it is done', () =>
    book(`
      >> client startup
      << dial
      << send startup
      >> client Q select 1
      << reply E 08P01
      << send X
      << end: a message of type 'Q' is out of place`));
});

describe('a batch', () => {
  it('goes on whole once everything in it is admitted', () =>
    book(`
      >> client P -: select 1 | B - < - | E - | P -: select 2 | B - < - | E - | S
      << ask 1 admit: select 1
      << ask 2 admit: select 2
      >> allow 2
      >> allow 1
      << send P | B | E | P | B | E | S
      >> server 1 | 2 | D x | C SELECT 1 | 1 | 2 | C SELECT 0 | Z I
      << settle completed
      << settle completed
      << reply 1 | 2 | D | C | 1 | 2 | C | Z I`));

  it('waits for its analysis', () =>
    book(`
      >> client Q new
      << analyse new
      >> client S
      >> analysed new
      << ask 1 admit: new
      >> allow 1
      << send Q | S`));

  it('that is only prepared is looked at for denial, and asked about when it is bound', () =>
    book(`
      >> client P s: select 1 | D S s | S
      << ask 1 preview: select 1
      >> pass 1
      << send P | D | S
      >> server 1 | t | n | Z I
      << reply 1 | t | n | Z I
      >> client B - < s | E - | S
      << ask 2 admit: select 1
      >> deny 2
      << send P | S
      >> server E 42601 not ours | Z I
      << reply E 42601 | Z I`));

  it('is cut at its refusal: what came before goes on, what comes after does not', () =>
    book(`
      >> client P -: select 1 | B - < - | E - | P -: select 2 | B - < - | E - | P -: select 3 | B - < - | E - | S
      << ask 1 admit: select 1
      << ask 2 admit: select 2
      << ask 3 admit: select 3
      >> deny 2
      << withdraw 3
      >> allow 1
      << send P | B | E | P | S
      >> allow 3
      << settle aborted`));

  it('after an error without a Sync is skipped here as it is on the server', () =>
    book(`
      >> client P -: select 1 | B - < - | E - | H
      << ask 1 admit: select 1
      >> allow 1
      << send P | B | E | H
      >> client P -: select 2 | B - < - | E - | H
      >> server 1 | E 42P01 no such relation
      << settle failed
      << reply 1 | E 42P01
      >> client P -: select 3 | S
      << send S
      >> server Z I
      << reply Z I`));

  it('waits for the one before it when that changes what it means', () =>
    book(`
      >> client Q set role bob | Q select 1 | Q select 2
      << ask 1 admit: set role bob
      >> allow 1
      << send Q
      >> server C SET | Z I
      << settle completed
      << reply C | Z I
      << ask 2 admit: select 1
      >> allow 2
      << ask 3 admit: select 2
      << send Q`));

  it('with text that does not parse is barred, and gets the parser’s words', () =>
    book(`
      >> client Q selec 1
      << ask 1 admit barred: selec 1
      >> allow 1
      << settle aborted
      << send Q`));

  it('in a failed transaction is not asked about, unless it ends it', () =>
    book(`
      >> client Q begin
      << ask 1 admit: begin
      >> allow 1
      << send Q
      >> server C BEGIN | Z T
      << settle completed
      << reply C | Z T
      >> client Q select 1
      << ask 2 admit: select 1
      >> allow 2
      << send Q
      >> server E 22012 division by zero | Z E
      << settle failed
      << reply E 22012 | Z E
      >> client Q select 2
      << send Q
      >> server E 25P02 not ours | Z E
      << reply E 25P02 | Z E
      >> client Q rollback
      << ask 3 admit: rollback`));
});

describe('a hold', () => {
  it('is told of between messages, not amid one', () =>
    book(`
      >> client Q select 1
      << ask 1 admit: select 1
      >> hold 1
      << reply N
      >> allow 1
      << send Q`));

  it('is withdrawn by a cancel; what the desk answers then is told', () =>
    book(`
      >> client Q select 1
      << ask 1 admit: select 1
      >> cancel
      << withdraw 1
      >> allow 1
      << settle aborted
      << send Q`));

  it('is withdrawn when the client leaves, and a permit that comes later is not used', () =>
    book(`
      >> client Q select 1
      << ask 1 admit: select 1
      >> client closed
      << withdraw 1
      << send X
      << end: the client closed the connection
      >> allow 1
      << settle aborted`));

  it('is withdrawn when the client says goodbye behind it', () =>
    book(`
      >> client Q select 1
      << ask 1 admit: select 1
      >> client X
      << withdraw 1
      << send X
      << end: the client said goodbye`));

  it('is not what a cancel means while something runs', () =>
    book(`
      >> client Q select 1
      << ask 1 admit: select 1
      >> allow 1
      << send Q
      >> cancel
      << cancel upstream`));
});

describe('COPY data', () => {
  it('goes on at once, and a Sync before it is not waited for', () =>
    book(`
      >> client P -: copy | B - < - | E - | S
      << ask 1 admit: copy
      >> allow 1
      << send P | B | E | S
      >> server 1 | 2 | G
      << reply 1 | 2 | G
      >> client d row | S | d row | c | S
      << send d | d | c | S
      >> server C COPY 2 | Z I
      << settle completed
      << reply C | Z I`));

  it('waits for the statement that asks for it', () =>
    book(`
      >> client Q copy | d row | c
      << ask 1 admit: copy
      >> allow 1
      << send Q | d | c
      >> server G | C COPY 1 | Z I
      << settle completed
      << reply G | C | Z I`));

  it('is all there may be while the server takes it', () =>
    book(`
      >> client Q copy
      << ask 1 admit: copy
      >> allow 1
      << send Q
      >> server G
      << reply G
      >> client Q select 1
      << reply E 08P01
      << settle aborted
      << send X
      << end: unexpected message type 'Q' during COPY from stdin`));
});

describe('a server out of step', () => {
  it.each(['1', 'C SELECT 1', 'Z I', '2', 's', 'G', 'W', 'K', 'R 0', '3', 't'])(
    'ends the session: %s',
    (line) => {
      expect(() =>
        book(`
      >> server ${line}
      << reply E 08P01
      << send X
      << end: nothing`),
      ).toThrow(/expected 'end: the server sent/);
    },
  );

  it('that explains itself is not explained again', () =>
    book(`
      >> server FATAL 57P01 terminating connection
      << reply E 57P01
      >> server closed
      << send X
      << end: the server closed the connection`));

  it('that goes away without a word is explained, and what ran has no outcome', () =>
    book(`
      >> client Q select 1
      << ask 1 admit: select 1
      >> allow 1
      << send Q
      >> server closed
      << reply E 08006
      << settle aborted
      << send X
      << end: the server closed the connection unexpectedly`));
});

describe('a drain', () => {
  it('ends an idle session at once', () =>
    book(`
      >> drain
      << reply E 57P01
      << send X
      << end: terminating connection: Holdpoint is shutting down`));

  it('waits for what runs', () =>
    book(`
      >> client Q select 1
      << ask 1 admit: select 1
      >> drain
      >> allow 1
      << send Q
      >> server C SELECT 1 | Z I
      << settle completed
      << reply C | Z I
      << reply E 57P01
      << send X
      << end: terminating connection: Holdpoint is shutting down`));
});
