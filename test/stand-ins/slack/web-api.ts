/**
 * Owns the methods of the Web API that the stand-in knows: tokens, scopes, arguments, Slack's own error words. What is
 * not here is `unknown_method`. Must never know HTTP.
 */

import { problemsOf, TEXT_IN_ALL, textLength } from './block-kit.ts';
import { isObject, type JsonObject } from './json.ts';
import type { SlackUser, Workspace } from './workspace.ts';

export interface Credentials {
  readonly botToken: string;
  readonly appToken: string;
  /** What the bot token may do. */
  readonly scopes: readonly string[];
}

/** Arguments as they came: form values, or members of a JSON body. */
export type Arguments = JsonObject;
export type Answer = JsonObject & { readonly ok: boolean };

export interface WebApi {
  call(method: string, token: string | null, args: Arguments): Answer;
}

const fail = (error: string, more: JsonObject = {}): Answer => ({ ok: false, error, ...more });

interface Method {
  readonly token: 'bot' | 'app';
  readonly scope: string | null;
  run(args: Arguments): Answer;
}

export function createWebApi(
  workspace: Workspace,
  credentials: Credentials,
  openConnection: () => string,
): WebApi {
  const { team, bot } = workspace;

  const methods: Readonly<Record<string, Method>> = {
    'auth.test': {
      token: 'bot',
      scope: null,
      run: () => ({
        ok: true,
        url: `https://${team.domain}.slack.com/`,
        team: team.name,
        team_id: team.id,
        user: bot.name,
        user_id: bot.id,
        bot_id: 'B0HOLDPOINT',
        is_enterprise_install: false,
      }),
    },
    'apps.connections.open': {
      token: 'app',
      scope: null,
      run: () => ({ ok: true, url: openConnection() }),
    },
    'chat.postMessage': { token: 'bot', scope: 'chat:write', run: postMessage },
    'chat.update': { token: 'bot', scope: 'chat:write', run: update },
    'chat.postEphemeral': { token: 'bot', scope: 'chat:write', run: postEphemeral },
    'users.info': {
      token: 'bot',
      scope: 'users:read',
      run(args) {
        const user = workspace.user(String(args.user));
        return user ? { ok: true, user: describeUser(user, team.id) } : fail('user_not_found');
      },
    },
    'conversations.list': {
      token: 'bot',
      scope: 'channels:read',
      run: () => ({
        ok: true,
        channels: workspace.channels.map(describeChannel),
        response_metadata: { next_cursor: '' },
      }),
    },
    'conversations.info': {
      token: 'bot',
      scope: 'channels:read',
      run(args) {
        const channel = workspace.channels.find(({ id }) => id === args.channel);
        return channel ? { ok: true, channel: describeChannel(channel) } : fail('channel_not_found');
      },
    },
  };

  function postMessage(args: Arguments): Answer {
    const channel = workspace.channel(String(args.channel ?? ''));
    if (!channel) return fail('channel_not_found');
    if (channel.archived) return fail('is_archived');
    if (channel.member === false) return fail('not_in_channel');
    const content = contentOf(args);
    if ('ok' in content) return content;
    const message = { channel: channel.id, ts: workspace.nextTs(), edits: 0, ...content };
    workspace.messages.push(message);
    return {
      ok: true,
      channel: channel.id,
      ts: message.ts,
      message: { type: 'message', user: bot.id, ...content },
    };
  }

  function update(args: Arguments): Answer {
    // Unlike chat.postMessage it takes an id only.
    const channel = workspace.channels.find(({ id }) => id === args.channel);
    if (!channel) return fail('channel_not_found');
    const message = workspace.message(channel.id, String(args.ts));
    if (!message) return fail('message_not_found');
    const content = contentOf(args);
    if ('ok' in content) return content;
    Object.assign(message, content);
    message.edits += 1;
    return { ok: true, channel: channel.id, ts: message.ts, text: message.text };
  }

  function postEphemeral(args: Arguments): Answer {
    const channel = workspace.channels.find(({ id }) => id === args.channel);
    if (!channel) return fail('channel_not_found');
    const user = workspace.user(String(args.user));
    if (!user || user.deleted) return fail('user_not_in_channel');
    const content = contentOf(args);
    if ('ok' in content) return content;
    workspace.ephemerals.push({ channel: channel.id, user: user.id, text: content.text });
    return { ok: true, message_ts: workspace.nextTs() };
  }

  return {
    call(name, token, args) {
      const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
      if (!method) return fail('unknown_method', { req_method: name });
      if (token === null) return fail('not_authed');
      const kind = token === credentials.botToken ? 'bot' : token === credentials.appToken ? 'app' : null;
      if (kind === null) return fail('invalid_auth');
      if (kind !== method.token) return fail('not_allowed_token_type');
      if (method.scope !== null && !credentials.scopes.includes(method.scope))
        return fail('missing_scope', { needed: method.scope, provided: credentials.scopes.join(',') });
      return method.run(args);
    },
  };
}

type Content = { readonly text: string; readonly blocks: readonly JsonObject[] };

/** Text and blocks of a message, or Slack's refusal. */
function contentOf(args: Arguments): Content | Answer {
  const text = typeof args.text === 'string' ? args.text : '';
  const blocks = blocksOf(args.blocks);
  if (blocks === null) return fail('invalid_blocks_format');
  if (text === '' && blocks.length === 0) return fail('no_text');
  if (text.length > 40_000) return fail('msg_too_long');
  const problems = problemsOf(blocks);
  if (problems.length > 0) return fail('invalid_blocks', { response_metadata: { messages: problems } });
  if (textLength(blocks) > TEXT_IN_ALL) return fail('msg_blocks_too_long');
  return { text, blocks: blocks.filter(isObject) };
}

/** A form carries blocks as JSON text, a JSON body as they are. */
function blocksOf(value: unknown): readonly unknown[] | null {
  if (value === undefined) return [];
  try {
    const parsed: unknown = typeof value === 'string' ? JSON.parse(value) : value;
    return Array.isArray(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

function describeUser(user: SlackUser, team: string): JsonObject {
  return {
    id: user.id,
    team_id: user.team ?? team,
    name: user.name,
    deleted: user.deleted ?? false,
    is_bot: user.bot ?? false,
    is_restricted: user.guest ?? false,
    is_ultra_restricted: false,
    ...(user.team === undefined || user.team === team ? {} : { is_stranger: true }),
    profile: { real_name: user.name, ...(user.email === undefined ? {} : { email: user.email }) },
  };
}

function describeChannel({ id, name, member, archived }: Workspace['channels'][number]): JsonObject {
  return { id, name, is_channel: true, is_member: member ?? true, is_archived: archived ?? false };
}
