/** Owns the facts of a subject as policy sees them (DESIGN section 3). Must never know what policy makes of them. */

import type { PostgresFacts } from '../../core/facts.ts';
import { parameterFacts } from './parameters.ts';
import type { Context, Subject } from './subject.ts';

export function factsOf(subject: Subject, context: Context): PostgresFacts {
  const { settings } = context;
  const { text, fingerprint, statements, error, flags: own } = subject.meaning;
  const parameters = parameterFacts(subject.values, subject.types);
  const flags = [...own];
  if (subject.limited) flags.push('portal_limit');
  if (!settings.known) flags.push('session_unknown');
  if (parameters.truncated) flags.push('parameter_truncated');
  return {
    kind: 'postgres',
    sql: {
      database: context.database,
      user: settings.user,
      role: settings.role,
      search_path: settings.searchPath,
      in_transaction: context.inTransaction,
      protocol: subject.protocol,
      text,
      fingerprint,
      parameters: parameters.facts,
      parsed: error === null,
      error,
      statements: [...statements],
      flags,
      estimate: null,
      resolved: null,
    },
  };
}
