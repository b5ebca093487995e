/**
 * Owns what an approval of a statement covers (DESIGN section 1, rule 4): exact text, what its names stand for, every
 * bound value, database, user, role, search_path. Result formats, names and row limits change nothing that runs.
 */

import { type DigestField, digestOf, type Fingerprint } from '../../core/fingerprint.ts';
import { type Meaning, oncePerMeaning } from './meaning.ts';
import type { Context, Subject } from './subject.ts';

export function fingerprintOf(subject: Subject, context: Context): Fingerprint {
  const { settings, database } = context;
  const path = settings.searchPath;
  const session = [database, settings.user, settings.role, settings.known ? 'known' : 'unknown'];
  const fields: DigestField[] = [
    ...session,
    String(path.length),
    ...path,
    subject.protocol === 'fastpath' ? 'F' : 'S',
  ];
  const { text, resolved } = subject.meaning;
  fields.push(text, String(resolved.length), ...resolved, String(subject.values.length));
  subject.values.forEach(({ octets, binary }, index) => {
    fields.push(String(subject.types[index] ?? 0), binary ? 'binary' : 'text', octets);
  });
  const exact = digestOf('postgres', fields);
  return { exact, shape: shapeOf(subject.meaning, database) ?? exact };
}

/** Null where nothing but itself is alike: what did not parse, and what has no statement. */
function shapeOf(meaning: Meaning, database: string): string | null {
  const { fingerprint, resolved } = meaning;
  if (fingerprint === '') return null;
  const known = shapes(meaning);
  const before = known.get(database);
  if (before !== undefined) return before;
  const shape = digestOf('postgres.shape', [database, fingerprint, ...relationsOf(meaning), ...resolved]);
  known.set(database, shape);
  return shape;
}

/** By database. */
const shapes = oncePerMeaning(() => new Map<string, string>());

function relationsOf({ statements }: Meaning): string[] {
  return statements.flatMap(({ node, reads, writes }) => [
    node,
    ...reads.map(({ schema, name }) => JSON.stringify(['read', schema, name])),
    ...writes.map(({ schema, name }) => JSON.stringify(['write', schema, name])),
  ]);
}
