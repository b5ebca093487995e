/**
 * Owns the Slack door as a whole: Bolt with its receiver, clicks in, cards out. Loads Bolt only when started (0.9 s and
 * 34 MB). Must never decide a ticket, hold up another door, or let Slack's absence stop the process from starting.
 */

import type { App, Logger as BoltLogger, Receiver } from '@slack/bolt';
import { Fault, messageOf } from '../../core/errors.ts';
import type { Clock, Logger } from '../../core/ports.ts';
import type { DeskDoors, People, TicketEvent } from '../doors.ts';
import { createAccounts } from './accounts.ts';
import { createClickHandler } from './actions.ts';
import { boltLogger, scrub } from './bolt-logger.ts';
import { readClick } from './click.ts';
import { createHttpReceiver, EVENTS_PATH } from './http-receiver.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import { behind } from './recovery.ts';
import { retryDelay } from './retry.ts';
import { type SlackSettings, secretsOf } from './settings.ts';
import { createShow, DOOR } from './showing.ts';
import { createSocketReceiver } from './socket-receiver.ts';
import { createSlackWeb, type SlackWeb, webOptions } from './web.ts';

export interface SlackDoorOptions {
  readonly settings: SlackSettings;
  readonly doors: DeskDoors;
  readonly people: People;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface SlackDoor {
  /**
   * Resolves to the URL that Slack has to reach (`mode: http`), or null (`mode: socket`): whether or not Slack can be
   * reached. Rejects with Fault `internal` only where the address to listen on cannot be had.
   */
  start(): Promise<string | null>;
  /** Takes no more clicks, lets due cards out for a moment, and closes everything. Safe to call twice. */
  stop(): Promise<void>;
}

type Bolt = Pick<typeof import('@slack/bolt'), 'App' | 'HTTPReceiver' | 'SocketModeReceiver'>;

export function createSlackDoor(options: SlackDoorOptions): SlackDoor {
  const { settings, doors, people, clock } = options;
  const secrets = secretsOf(settings);
  const logger = scrubbed(options.logger, secrets);
  const bridge = boltLogger(options.logger, secrets);
  let starting: Promise<string | null> | null = null;
  let stopping: Promise<void> | null = null;
  let cancelRecovery: () => void = () => {};
  const closers: (() => Promise<void> | void)[] = [];

  async function open(): Promise<string | null> {
    // Before anything is awaited: what happens meanwhile must be told.
    const early: TicketEvent[] = [];
    let onEvent = (event: TicketEvent): void => void early.push(event);
    closers.push(doors.subscribe((event) => onEvent(event)));

    const bolt = await import('@slack/bolt');
    const client = new bolt.webApi.WebClient(settings.bot_token, webOptions(settings.api_url, bridge));
    const web = createSlackWeb(client, settings.channel);
    const outbox = createOutbox({ show: createShow({ doors, web, logger }), clock, logger });
    closers.push(() => outbox.stop());
    onEvent = ({ ticket }) => outbox.refresh(ticket.id);
    early.forEach(onEvent);

    const receiver = receiverFor(bolt);
    const app = createApp(bolt, receiver, bridge);
    closers.push(async () => void (await app.stop()));
    const accounts = createAccounts(web, clock);
    accounts.identity().then(
      ({ team, user }) =>
        logger.info({ door: DOOR, team, user, mode: settings.mode }, 'Slack knows this app'),
      (error: unknown) =>
        logger.warn({ door: DOOR, trouble: messageOf(error) }, 'Slack did not identify this app'),
    );
    listenForClicks(app, createClickHandler({ doors, people, ...accounts, logger }), web, outbox);
    void recover(outbox, 1);
    const address = await app.start().catch((error: unknown) => {
      throw new Fault('internal', `the Slack door cannot listen: ${messageOf(error)}`, { cause: error });
    });
    return urlOf(address);
  }

  function receiverFor(bolt: Bolt): Receiver {
    return settings.mode === 'socket'
      ? createSocketReceiver({ ...bolt, settings, boltLogger: bridge, clock, logger })
      : createHttpReceiver({ ...bolt, settings, boltLogger: bridge });
  }

  function listenForClicks(
    app: App,
    handle: ReturnType<typeof createClickHandler>,
    web: SlackWeb,
    outbox: Outbox,
  ): void {
    app.action({ type: 'block_actions', action_id: /^holdpoint\./ }, async ({ ack, body }) => {
      // First of all: Slack gives three seconds. Whether it heard us does not change what was clicked.
      await ack().catch((error: unknown) =>
        logger.warn({ door: DOOR, trouble: messageOf(error) }, 'a click could not be acknowledged'),
      );
      const click = readClick(body);
      if (click === null) return logger.warn({ door: DOOR }, 'a click without a ticket was dropped');
      const refusal = await handle(click);
      outbox.refresh(click.value.ticket, click.place);
      if (refusal === null) return;
      await web.whisper(click.place.channel, click.user, refusal).catch((error: unknown) => {
        logger.warn({ door: DOOR, trouble: messageOf(error) }, 'a clicker could not be told why not');
      });
    });
  }

  /** Never rejects. */
  async function recover(outbox: Outbox, attempt: number): Promise<void> {
    try {
      for (const ticketId of await behind(doors)) outbox.refresh(ticketId);
    } catch (error) {
      const pause = retryDelay(attempt);
      logger.warn({ door: DOOR, trouble: messageOf(error), pause }, 'tickets could not be listed for Slack');
      if (stopping === null) cancelRecovery = clock.after(pause, () => void recover(outbox, attempt + 1));
    }
  }

  async function close(): Promise<void> {
    await starting?.catch(() => {});
    cancelRecovery();
    // Last opened first: no more clicks, then the outbox, then the events that fill it.
    for (const closer of closers.reverse()) await closer();
  }

  function stop(): Promise<void> {
    stopping ??= close();
    return stopping;
  }

  return {
    async start() {
      starting ??= open();
      try {
        return await starting;
      } catch (error) {
        await stop();
        throw error;
      }
    },
    stop,
  };
}

/** Bolt without what it does at once and by itself: asking who we are (unhandled when Slack is away), keeping state. */
function createApp(bolt: Bolt, receiver: Receiver, logger: BoltLogger): App {
  const app = new bolt.App({
    receiver,
    logger,
    authorize: async () => ({}),
    convoStore: false,
    ignoreSelf: false,
  });
  app.error(async (error) => logger.error(error));
  return app;
}

function urlOf(address: unknown): string | null {
  if (typeof address !== 'object' || address === null || !('port' in address) || !('address' in address))
    return null;
  const host = String(address.address);
  return `http://${host.includes(':') ? `[${host}]` : host}:${String(address.port)}${EVENTS_PATH}`;
}

/** A logger that strikes secrets out of every text field. */
function scrubbed(logger: Logger, secrets: readonly string[]): Logger {
  const clean = (fields: object) =>
    Object.fromEntries(
      Object.entries(fields).map(([key, value]) => [
        key,
        typeof value === 'string' ? scrub(value, secrets) : value,
      ]),
    );
  return {
    debug: (fields, message) => logger.debug(clean(fields), message),
    info: (fields, message) => logger.info(clean(fields), message),
    warn: (fields, message) => logger.warn(clean(fields), message),
    error: (fields, message) => logger.error(clean(fields), message),
  };
}
