/**
 * Owns what Slack sends when somebody clicks: the `block_actions` payload, and the signed request that carries it to an
 * app without Socket Mode (https://docs.slack.dev/authentication/verifying-requests-from-slack).
 */

import { createHmac } from 'node:crypto';
import { isObject, type JsonObject } from './json.ts';
import { ACK_WITHIN } from './socket-mode.ts';
import type { SlackMessage, SlackUser, Workspace } from './workspace.ts';

export interface Click {
  /** User id, or an account that the workspace does not know. */
  readonly user: string | SlackUser;
  /** Label of the button (`Approve`) or its action_id. */
  readonly action: string;
  readonly message: SlackMessage;
  /** Another value than the button has: a forgery that only a broken Slack would send. */
  readonly value?: string;
  /** Another workspace than the message's, as in a channel shared with another company. */
  readonly team?: string;
}

/** @throws Error when the message has no such button: nobody could have clicked it. */
export function blockActions(workspace: Workspace, click: Click): JsonObject {
  const { message } = click;
  const user = typeof click.user === 'string' ? workspace.user(click.user) : click.user;
  if (!user) throw new Error(`no user ${String(click.user)}`);
  const { block, button } = findButton(message, click.action);
  const channel = workspace.channels.find(({ id }) => id === message.channel);
  const team = click.team ?? workspace.team.id;
  return {
    type: 'block_actions',
    user: { id: user.id, username: user.name, name: user.name, team_id: user.team ?? team },
    api_app_id: workspace.app,
    token: 'deprecated-verification-token',
    container: {
      type: 'message',
      message_ts: message.ts,
      channel_id: message.channel,
      is_ephemeral: false,
    },
    trigger_id: `${Date.now()}.1.abcdef`,
    team: { id: team, domain: workspace.team.domain },
    enterprise: null,
    is_enterprise_install: false,
    channel: { id: message.channel, name: channel?.name ?? 'directmessage' },
    message: {
      type: 'message',
      user: workspace.bot.id,
      bot_id: 'B0HOLDPOINT',
      ts: message.ts,
      text: message.text,
      blocks: message.blocks,
    },
    state: { values: {} },
    response_url: 'https://hooks.slack.example/actions/not-served',
    actions: [
      {
        type: 'button',
        action_id: button.action_id,
        block_id: block.block_id,
        text: button.text,
        value: click.value ?? button.value,
        style: button.style,
        action_ts: `${Date.now() / 1000}`,
      },
    ],
  };
}

function findButton(message: SlackMessage, action: string) {
  for (const block of message.blocks) {
    if (block.type !== 'actions' || !Array.isArray(block.elements)) continue;
    for (const button of block.elements.filter(isObject)) {
      const label = isObject(button.text) ? button.text.text : undefined;
      if (button.action_id === action || label === action) return { block, button };
    }
  }
  throw new Error(`the message has no button ${action}: ${message.text}`);
}

export interface SignedRequest {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

export function sign(payload: JsonObject, secret: string, at = Date.now()): SignedRequest {
  const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
  const timestamp = String(Math.floor(at / 1000));
  const hash = createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex');
  return {
    body,
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)',
      'x-slack-request-timestamp': timestamp,
      'x-slack-signature': `v0=${hash}`,
    },
  };
}

/** Resolves to the status. Rejects when there is none within three seconds. */
export async function post(url: string, { body, headers }: SignedRequest): Promise<number> {
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers,
    signal: AbortSignal.timeout(ACK_WITHIN),
  });
  await response.arrayBuffer();
  return response.status;
}
