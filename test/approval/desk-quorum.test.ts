/** Who counts, how often, and when it is enough. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPeople, tokenHash } from '../../src/approval/people.ts';
import {
  answerable,
  entitled,
  identity,
  met,
  progress,
  sameRequirements,
} from '../../src/approval/quorum.ts';

const owners = { groups: ['data-owners'], quorum: 1 };
const two = { groups: ['data-owners', 'approvers'], quorum: 2 };
const alice = { id: 'alice@example.com', groups: ['data-owners'] };
const bob = { id: 'bob@example.com', groups: ['data-owners', 'approvers'] };
const carol = { id: 'carol@example.com', groups: ['approvers'] };

describe('a quorum', () => {
  it.each([
    ['nobody', [owners], [], false],
    ['one of one', [owners], [alice], true],
    ['one of another group', [owners], [carol], false],
    ['one of two', [two], [alice], false],
    ['two of two', [two], [alice, carol], true],
    ['the same one twice', [two], [alice, alice], false],
    ['the same one, spelt otherwise', [two], [alice, { ...alice, id: ' ALICE@Example.COM ' }], false],
    ['one in two groups, who is one person still', [two], [bob], false],
    ['one requirement of two', [owners, two], [alice], false],
    ['both requirements', [owners, two], [alice, carol], true],
    [
      'one person for two requirements that each ask for one',
      [owners, { groups: ['approvers'], quorum: 1 }],
      [bob],
      true,
    ],
    ['no requirement at all', [], [alice, bob, carol], false],
    ['a requirement of nobody', [owners, { groups: [], quorum: 1 }], [alice, bob], false],
    ['a quorum of none', [{ groups: ['data-owners'], quorum: 0 }], [alice], false],
    ['more people than needed', [owners], [alice, bob], true],
  ])('with %s', (_, requirements, approvers, expected) => {
    expect(met(requirements, approvers)).toBe(expected);
  });

  it('is never lost by one more approval, and never met by repeating one', () => {
    const approver = fc.constantFrom(alice, bob, carol);
    const requirement = fc.record({
      groups: fc.subarray(['data-owners', 'approvers'], { minLength: 1 }),
      quorum: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(requirement), fc.array(approver), approver, (requirements, approvers, more) => {
        const before = met(requirements, approvers);
        if (before) expect(met(requirements, [...approvers, more])).toBe(true);
        expect(met(requirements, [...approvers, ...approvers])).toBe(before);
      }),
    );
  });

  it('says how far each requirement is', () => {
    expect(progress([owners, two], [alice, alice])).toEqual([
      { ...owners, have: 1 },
      { ...two, have: 1 },
    ]);
  });

  it('may be answered by anybody in a group of any requirement', () => {
    expect(entitled([owners, two], carol)).toBe(true);
    expect(entitled([owners], carol)).toBe(false);
    expect(entitled([], bob)).toBe(false);
    expect(entitled([{ groups: ['Data-Owners'], quorum: 1 }], alice)).toBe(false);
  });

  it('is one that somebody could meet', () => {
    expect(answerable([owners, two])).toBe(true);
    for (const quorum of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
      expect(answerable([{ groups: ['a'], quorum }])).toBe(false);
  });

  it('is the same in another order, and another with another number', () => {
    expect(sameRequirements([owners, two], [{ ...two, groups: ['approvers', 'data-owners'] }, owners])).toBe(
      true,
    );
    expect(sameRequirements([owners], [{ ...owners, quorum: 2 }])).toBe(false);
    expect(sameRequirements([owners], [owners, two])).toBe(false);
    expect(sameRequirements([{ groups: ['a,b'], quorum: 1 }], [{ groups: ['a', 'b'], quorum: 1 }])).toBe(
      false,
    );
  });
});

describe('an identity', () => {
  it.each([
    ['Dana@Example.com', 'dana@example.com'],
    [' dana@example.com\t', 'dana@example.com'],
    ['ｄａｎａ@example.com', 'dana@example.com'],
  ])('%j is %s', (spelling, id) => {
    expect(identity(spelling)).toBe(id);
  });
});

describe('the directory', () => {
  const people = [
    { id: 'Alice@Example.com', slack: 'U1', groups: [] },
    { id: 'bob@example.com', slack: null, groups: [] },
  ];

  it('finds a person by id in any case, by exact Slack id, by each of their tokens', () => {
    const directory = createPeople(people, [
      { person: 'alice@example.com', sha256: tokenHash('one') },
      { person: 'ALICE@example.com', sha256: tokenHash('two').toUpperCase() },
    ]);
    expect(directory.byId('alice@EXAMPLE.com')).toBe(people[0]);
    expect(directory.byId('carol@example.com')).toBeNull();
    expect(directory.bySlack('U1')).toBe(people[0]);
    expect(directory.bySlack('u1')).toBeNull();
    expect(directory.bySlack('null')).toBeNull();
    for (const token of ['one', 'two']) expect(directory.byTokenHash(tokenHash(token))).toBe(people[0]);
    for (const hash of [tokenHash('three'), '', 'one', tokenHash('one').slice(2), `${tokenHash('one')}00`])
      expect(directory.byTokenHash(hash)).toBeNull();
  });

  it.each([
    ['two people of one id', [...people, { id: 'ALICE@example.com', slack: null, groups: [] }], []],
    ['two people of one Slack id', [...people, { id: 'eve@example.com', slack: 'U1', groups: [] }], []],
    ['a token of nobody', people, [{ person: 'eve@example.com', sha256: tokenHash('x') }]],
    ['what is no hash', people, [{ person: 'bob@example.com', sha256: 'x' }]],
    [
      'one token for two',
      people,
      ['alice@example.com', 'bob@example.com'].map((person) => ({ person, sha256: tokenHash('x') })),
    ],
  ])('refuses %s', (_, persons, tokens) => {
    expect(() => createPeople(persons, tokens)).toThrow();
  });
});
