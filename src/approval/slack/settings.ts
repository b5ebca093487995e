/**
 * Owns the form of `approvals.slack` in the configuration (its own key names) and which of it is secret.
 * Must never know how the configuration is read.
 */

interface SlackCommon {
  readonly bot_token: string;
  /** Channel id (`C…`), or its name with or without `#`. */
  readonly channel: string;
  /** Another base than https://slack.com/api/. */
  readonly api_url?: string | undefined;
}

/** Socket Mode: Holdpoint dials out, and needs no address that Slack can reach. */
export interface SlackSocketSettings extends SlackCommon {
  readonly mode: 'socket';
  readonly app_token: string;
}

/** Slack posts clicks, signed, to `/slack/events` on `listen`. */
export interface SlackHttpSettings extends SlackCommon {
  readonly mode: 'http';
  readonly signing_secret: string;
  readonly listen: { readonly host: string; readonly port: number };
}

export type SlackSettings = SlackSocketSettings | SlackHttpSettings;

/** What must never be written anywhere. */
export function secretsOf(settings: SlackSettings): readonly string[] {
  return [settings.bot_token, settings.mode === 'socket' ? settings.app_token : settings.signing_secret];
}
