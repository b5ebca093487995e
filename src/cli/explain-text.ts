/** Owns how an explained case reads in a terminal. Must never leave out a rule. */

import type { Decision } from '../core/decision.ts';
import type { PolicyInput } from '../core/facts.ts';

export interface Explained {
  /** Null where the listener refuses the call before policy sees it. */
  readonly input: PolicyInput | null;
  readonly decision: Decision;
}

export function readable({ input, decision }: Explained, revision: string): string {
  const rules = decision.rules.map(
    ({ id, severity, reason, controls }) => `  ${id} (${[severity, ...controls].join(', ')}): ${reason}`,
  );
  const asked = decision.requirements.map(
    ({ groups, quorum }) => `  ${quorum} of ${groups.join(' or ')} must approve`,
  );
  return [
    `${decision.effect}: ${decision.message}`,
    ...rules,
    ...asked,
    ...(input === null ? [] : summary(input)),
    `policy ${revision}`,
  ].join('\n');
}

function summary(input: PolicyInput): string[] {
  if (input.kind === 'http') {
    const { service, operation, resource, access, tags } = input.action;
    const what = [service, operation, resource].filter((word) => word !== null).join(' ');
    return [`seen as: ${what === '' ? 'no known API' : what}, access ${access}, tags [${tags.join(', ')}]`];
  }
  return input.sql.statements.map(({ node, nested, reads, writes, flags }) => {
    const names = (relations: typeof reads): string =>
      relations.map(({ schema, name }) => (schema === null ? name : `${schema}.${name}`)).join(', ');
    const nodes = [node, ...nested].join(' > ');
    return `seen as: ${nodes}, reads [${names(reads)}], writes [${names(writes)}], flags [${flags.join(', ')}]`;
  });
}
