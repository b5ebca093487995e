/**
 * Owns the offline view of a SQL text: the facts that policy would see if it came by simple query as the first
 * statement of a fresh session. Must never differ from the live path in anything but the session's names.
 */

import type { PostgresFacts } from '../../core/facts.ts';
import type { SqlAnalysis } from '../sql/analysis.ts';
import { factsOf } from './facts.ts';
import { Names } from './names.ts';
import { Settings } from './settings.ts';
import { textSubject } from './subject.ts';

/** The session that an offline text is imagined in. */
const SESSION = { database: 'app', user: 'agent', searchPath: '"$user", public' };

export function explainSql(analysis: SqlAnalysis): PostgresFacts {
  const settings = new Settings(SESSION.user);
  settings.report('search_path', SESSION.searchPath);
  settings.opened();
  const subject = textSubject('simple', analysis, new Names());
  return factsOf(subject, { database: SESSION.database, settings, inTransaction: false });
}
