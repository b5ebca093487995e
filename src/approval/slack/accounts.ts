/**
 * Owns what is known for a while: our own workspace, and the standing of accounts. Asks Slack once each, and again
 * once that is old. Must never remember a failure, nor stand in for an answer.
 */

import { LIMITS } from '../../core/limits.ts';
import type { Clock } from '../../core/ports.ts';
import { createRecent } from '../../core/recent.ts';
import type { Account, Identity, SlackWeb } from './web.ts';

export interface Accounts {
  /** Rejects while Slack does not tell. */
  identity(): Promise<Identity>;
  /** Rejects while Slack does not tell. */
  account(user: string, team: string): Promise<Account>;
}

export function createAccounts(web: Pick<SlackWeb, 'identify' | 'account'>, clock: Clock): Accounts {
  let ours: Promise<Identity> | null = null;
  const known = createRecent<{ readonly account: Account; readonly at: number }>(LIMITS.slackAccounts);

  return {
    identity() {
      if (ours === null) {
        const asked = web.identify();
        ours = asked;
        asked.catch(() => {
          ours = null;
        });
      }
      return ours;
    },

    async account(user, team) {
      const kept = known.get(user);
      if (kept !== undefined && clock.now() - kept.at < LIMITS.slackAccountAge) return kept.account;
      const account = await web.account(user, team);
      known.set(user, { account, at: clock.now() });
      return account;
    },
  };
}
