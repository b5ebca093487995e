/**
 * Owns the directory of reviewers from configuration: who has which Slack id, token and groups. Must never see a
 * token itself, only its SHA-256.
 */

import { createHash, timingSafeEqual } from 'node:crypto';
import { Fault } from '../core/errors.ts';
import type { People, Person } from './doors.ts';
import { identity } from './quorum.ts';

export interface TokenHash {
  /** Id of a person. */
  readonly person: string;
  /** SHA-256 of the token, 64 hex digits. */
  readonly sha256: string;
}

/** @throws Fault when two people share an id or a Slack id, or a token belongs to nobody or to two. */
export function createPeople(people: readonly Person[], tokens: readonly TokenHash[]): People {
  const byId = new Map<string, Person>();
  const bySlack = new Map<string, Person>();
  for (const person of people) {
    enter(byId, identity(person.id), person, `two people have the id ${person.id}`);
    if (person.slack !== null)
      enter(bySlack, person.slack, person, `two people have the Slack id ${person.slack}`);
  }
  const hashes = new Map<string, { hash: Buffer; person: Person }>();
  for (const { person: id, sha256 } of tokens) {
    const person = byId.get(identity(id));
    if (person === undefined)
      throw new Fault('internal', `a token belongs to ${id}, who is not among the people`);
    if (!/^[0-9a-f]{64}$/i.test(sha256))
      throw new Fault('internal', `a token of ${id} is not a SHA-256 in hex`);
    const hash = Buffer.from(sha256, 'hex');
    enter(hashes, hash.toString('hex'), { hash, person }, 'two entries have the same token');
  }
  const entries = [...hashes.values()];

  return {
    byId: (id) => byId.get(identity(id)) ?? null,
    bySlack: (userId) => bySlack.get(userId) ?? null,
    byTokenHash(sha256) {
      const given = Buffer.from(sha256, 'hex');
      let found: Person | null = null;
      for (const { hash, person } of entries) if (equalHashes(hash, given)) found = person;
      return found;
    },
  };
}

/** SHA-256 of a bearer token, as `byTokenHash` takes it. */
export function tokenHash(token: string): string {
  return createHash('sha256').update(token, 'utf8').digest('hex');
}

/** Equality of two SHA-256 values that takes as long whatever they are. */
export function equalHashes(left: Uint8Array, right: Uint8Array): boolean {
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}

function enter<V>(into: Map<string, V>, key: string, value: V, otherwise: string): void {
  if (into.has(key)) throw new Fault('internal', otherwise);
  into.set(key, value);
}
