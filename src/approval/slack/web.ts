/**
 * Owns the calls to Slack's Web API: who we are, cards, replies only one person sees, the state of an account. One
 * attempt a call, within a deadline; when to try again is its caller's. Must never know tickets.
 */

import type { webApi } from '@slack/bolt';
import { LIMITS } from '../../core/limits.ts';
import type { Message } from './blocks.ts';
import { troubleOf } from './trouble.ts';

/** Where a message is; `ts` names it within its channel. */
export interface Place {
  readonly channel: string;
  readonly ts: string;
}

/** The workspace and the user that our token belongs to. */
export interface Identity {
  readonly team: string;
  /** For the log. */
  readonly user: string | null;
}

/** What Slack says about a user. `unknown`: this token may not ask, or Slack does not say. */
export type Account =
  | { readonly standing: 'member' | 'unknown' }
  | { readonly standing: 'refused'; readonly because: string };

/** Rejects with what Slack's client threw: sort it with troubleOf. */
export interface SlackWeb {
  identify(): Promise<Identity>;
  post(message: Message): Promise<Place>;
  update(place: Place, message: Message): Promise<void>;
  /** Shown to `user` alone, until their client reloads. */
  whisper(channel: string, user: string, text: string): Promise<void>;
  account(user: string, team: string): Promise<Account>;
}

/** How every client of the Web API is set up here: no retries and no waiting of its own. */
export function webOptions(apiUrl: string | undefined, logger: webApi.Logger): webApi.WebClientOptions {
  return {
    ...(apiUrl === undefined ? {} : { slackApiUrl: apiUrl }),
    logger,
    timeout: LIMITS.slackCall,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
  };
}

/** Nothing in a card may be looked up, linked or mentioned by Slack. */
const AS_WRITTEN = { parse: 'none', link_names: false } as const;

export function createSlackWeb(client: webApi.WebClient, channel: string): SlackWeb {
  return {
    async identify() {
      const { team_id: team, user_id: user } = await client.auth.test();
      if (!team) throw new Error('auth.test named no workspace');
      return { team, user: user ?? null };
    },

    async post({ text, blocks }) {
      const posted = await client.chat.postMessage({
        channel,
        text,
        blocks: [...blocks],
        unfurl_links: false,
        unfurl_media: false,
        ...AS_WRITTEN,
      });
      if (!posted.ts) throw new Error('chat.postMessage named no message');
      return { channel: posted.channel ?? channel, ts: posted.ts };
    },

    async update(place, { text, blocks }) {
      await client.chat.update({ ...place, text, blocks: [...blocks], ...AS_WRITTEN });
    },

    async whisper(to, user, text) {
      await client.chat.postEphemeral({ channel: to, user, text, ...AS_WRITTEN });
    },

    async account(user, team) {
      let answer: webApi.UsersInfoResponse;
      try {
        answer = await client.users.info({ user });
      } catch (error) {
        const trouble = troubleOf(error);
        if (trouble.kind === 'refused' && CANNOT_ASK.has(trouble.error)) return { standing: 'unknown' };
        throw error;
      }
      if (answer.user === undefined) return { standing: 'unknown' };
      return standingOf(answer.user, team);
    },
  };
}

/** Without the scope `users:read` the mapping in the configuration is all there is to go by. */
const CANNOT_ASK = new Set(['missing_scope', 'not_allowed_token_type', 'unknown_method']);

type User = NonNullable<webApi.UsersInfoResponse['user']> & { readonly is_stranger?: boolean };

function standingOf(user: User, team: string): Account {
  const faults: readonly [boolean | undefined, string][] = [
    [user.deleted, 'this account is deactivated'],
    [user.is_bot || user.is_workflow_bot, 'this account is a bot'],
    [user.is_restricted || user.is_ultra_restricted, 'this account is a guest'],
    [user.is_stranger, 'this account belongs to another workspace'],
    [user.team_id !== undefined && user.team_id !== team, 'this account belongs to another workspace'],
  ];
  const because = faults.find(([is]) => is)?.[1];
  return because === undefined ? { standing: 'member' } : { standing: 'refused', because };
}
