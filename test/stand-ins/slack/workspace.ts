/**
 * Owns the state of the invented workspace: team, users, channels, messages. Must never know how anybody reaches it.
 */

import type { JsonObject } from './json.ts';

export interface SlackUser {
  readonly id: string;
  readonly name: string;
  readonly email?: string;
  /** The workspace the account belongs to; the stand-in's own where absent. */
  readonly team?: string;
  readonly bot?: boolean;
  readonly deleted?: boolean;
  readonly guest?: boolean;
}

export interface SlackChannel {
  readonly id: string;
  readonly name: string;
  /** Whether the app's bot has been invited. */
  readonly member?: boolean;
  readonly archived?: boolean;
}

/** A message as it is now. `text` and `blocks` change with chat.update. */
export interface SlackMessage {
  readonly channel: string;
  readonly ts: string;
  text: string;
  blocks: readonly JsonObject[];
  /** How often it was updated. */
  edits: number;
}

export interface Ephemeral {
  readonly channel: string;
  readonly user: string;
  readonly text: string;
}

export interface Workspace {
  readonly team: { readonly id: string; readonly name: string; readonly domain: string };
  readonly app: string;
  readonly bot: SlackUser;
  readonly users: readonly SlackUser[];
  readonly channels: readonly SlackChannel[];
  readonly messages: SlackMessage[];
  readonly ephemerals: Ephemeral[];
  user(id: string): SlackUser | undefined;
  /** By id, or by name with or without `#`. */
  channel(idOrName: string): SlackChannel | undefined;
  message(channel: string, ts: string): SlackMessage | undefined;
  /** A fresh timestamp: unique in the workspace, as Slack's are in a channel. */
  nextTs(): string;
}

export function createWorkspace(options: {
  readonly team: Workspace['team'];
  readonly users: readonly SlackUser[];
  readonly channels: readonly SlackChannel[];
}): Workspace {
  const bot: SlackUser = { id: 'U0HOLDPOINT', name: 'holdpoint', bot: true };
  const users = [...options.users, bot];
  const messages: SlackMessage[] = [];
  let sent = 0;
  return {
    team: options.team,
    app: 'A0HOLDPOINT',
    bot,
    users,
    channels: options.channels,
    messages,
    ephemerals: [],
    user: (id) => users.find((user) => user.id === id),
    channel: (idOrName) =>
      options.channels.find(({ id, name }) => id === idOrName || name === idOrName.replace(/^#/, '')),
    message: (channel, ts) => messages.find((message) => message.channel === channel && message.ts === ts),
    nextTs() {
      sent += 1;
      return `${Math.floor(Date.now() / 1000)}.${String(sent).padStart(6, '0')}`;
    },
  };
}
