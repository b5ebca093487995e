/**
 * Owns the arithmetic of approvals: who is who, who may answer, and when every requirement is met. Pure.
 * Must never know tickets, states or how a person proved who they are.
 */

import type { Requirement } from '../core/decision.ts';

/** Somebody who approved, with the groups that they are in. */
export interface Approver {
  readonly id: string;
  readonly groups: readonly string[];
}

export interface Progress extends Requirement {
  /** Distinct people of `groups` who have approved. */
  readonly have: number;
}

/** One form for every spelling of an identity: mail systems ignore case, so `Dana@…` and `dana@…` are one person. */
export function identity(id: string): string {
  return id.normalize('NFKC').trim().toLowerCase();
}

/** True for somebody who is in a group of at least one requirement. */
export function entitled(requirements: readonly Requirement[], person: Approver): boolean {
  return requirements.some((requirement) => inGroups(requirement, person));
}

/** How far each requirement is. A person counts once in each, however often and under whatever spelling they approved. */
export function progress(requirements: readonly Requirement[], approvers: readonly Approver[]): Progress[] {
  return requirements.map((requirement) => {
    const people = approvers.filter((approver) => inGroups(requirement, approver));
    return { ...requirement, have: new Set(people.map((person) => identity(person.id))).size };
  });
}

/** True when every requirement has its quorum. No requirement at all is never met: it would ask nobody. */
export function met(requirements: readonly Requirement[], approvers: readonly Approver[]): boolean {
  return (
    answerable(requirements) && progress(requirements, approvers).every(({ have, quorum }) => have >= quorum)
  );
}

/** True when each requirement names somebody and a whole number of them: what else policy says, nobody could meet. */
export function answerable(requirements: readonly Requirement[]): boolean {
  return (
    requirements.length > 0 &&
    requirements.every(
      ({ groups, quorum }) => groups.length > 0 && Number.isSafeInteger(quorum) && quorum >= 1,
    )
  );
}

/** True when both ask the same of the same groups, in whatever order they say it. */
export function sameRequirements(left: readonly Requirement[], right: readonly Requirement[]): boolean {
  return canonical(left) === canonical(right);
}

function canonical(requirements: readonly Requirement[]): string {
  const each = requirements.map(({ groups, quorum }) =>
    JSON.stringify([[...new Set(groups)].sort(), quorum]),
  );
  return [...new Set(each)].sort().join();
}

function inGroups(requirement: Requirement, person: Approver): boolean {
  return requirement.groups.some((group) => person.groups.includes(group));
}
