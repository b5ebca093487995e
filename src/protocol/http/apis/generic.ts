/**
 * Owns what can be said of a call to an API that nobody recognises: access by its method, and administration by
 * the words in its path. Must never name a service: unknown stays unknown.
 */

import type { ActionFacts } from '../../../core/facts.ts';
import { accessOfMethod } from '../method.ts';
import { type ApiRequest, action } from './recogniser.ts';

/** Parts of a path that speak of administering others, whatever the method. */
const ADMIN_WORDS =
  /^(?:_?admins?|administrators?|administration|sudo|superusers?|impersonat(?:e|ion)|backoffice)$/;
/** Parts of a path that hand out power when written to. */
const POWER_WORDS =
  /^(?:roles?|role-?(?:bindings?|assignments?)|permissions?|privileges?|rbac|iam|acls?|grants?|owners?)$/;

export function recogniseGeneric(request: ApiRequest): ActionFacts {
  const access = accessOfMethod(request.method);
  const tags = request.method === 'DELETE' ? ['delete'] : [];
  const words = request.segments.map((segment) => segment.toLowerCase());
  const administers =
    words.some((word) => ADMIN_WORDS.test(word)) ||
    (access === 'write' && words.some((word) => POWER_WORDS.test(word)));
  return action(null, administers && access !== 'unknown' ? 'admin' : access, { tags });
}
