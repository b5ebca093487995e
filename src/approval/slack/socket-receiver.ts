/**
 * Owns Socket Mode: one connection that Holdpoint dials, and dials again for ever. Bolt's own receiver speaks the
 * protocol; reconnecting is done here, with a fresh receiver each time, because the library's way (3.1.0) leaves a
 * rejection unhandled when Slack is away, and timers of a dead connection at work on the next one.
 * Must never know what a click means.
 */

import type {
  App,
  Logger as BoltLogger,
  SocketModeReceiver as BoltSocketReceiver,
  Receiver,
} from '@slack/bolt';
import { LIMITS } from '../../core/limits.ts';
import type { Clock, Logger } from '../../core/ports.ts';
import { retryDelay } from './retry.ts';
import type { SlackSocketSettings } from './settings.ts';
import { DOOR } from './showing.ts';
import { troubleOf } from './trouble.ts';
import { webOptions } from './web.ts';

export interface SocketReceiverDeps {
  readonly SocketModeReceiver: typeof BoltSocketReceiver;
  readonly settings: SlackSocketSettings;
  readonly boltLogger: BoltLogger;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Milliseconds after which a connection counts as a good one. */
const SETTLED = 10_000;

type Socket = BoltSocketReceiver['client'];

/** `start` resolves at once: being connected is a matter of time. `stop` resolves when the connection is closed. */
export function createSocketReceiver(deps: SocketReceiverDeps): Receiver {
  const { settings, clock, logger } = deps;
  let app: App | null = null;
  let stopped = false;
  let interrupt: () => void = () => {};
  let running: Promise<void> = Promise.resolve();

  function connection(): BoltSocketReceiver {
    const receiver = new deps.SocketModeReceiver({
      appToken: settings.app_token,
      logger: deps.boltLogger,
      autoReconnectEnabled: false,
      clientPingTimeout: 10_000,
      installerOptions: { clientOptions: webOptions(settings.api_url, deps.boltLogger) },
      processEventErrorHandler: async () => false,
    });
    if (app !== null) receiver.init(app);
    dropMalformed(receiver.client, logger);
    return receiver;
  }

  /** Resolves when a connection that had begun has ended. Rejects where it did not begin. */
  async function hold(): Promise<void> {
    const { client } = connection();
    const ended = new Promise<void>((resolve) => client.once('disconnected', () => resolve()));
    const close = () => closeSocket(client, clock);
    // A stop that comes while the address is being asked for must still end what follows.
    client.once('connecting', () => stopped && setImmediate(close));
    interrupt = close;
    const tooLate = clock.after(LIMITS.slackHello, close);
    try {
      await client.start();
    } finally {
      tooLate();
    }
    if (stopped) close();
    else logger.info({ door: DOOR }, 'connected to Slack');
    await ended;
  }

  async function run(): Promise<void> {
    let failures = 0;
    while (!stopped) {
      const since = clock.now();
      let pause = 0;
      try {
        await hold();
        failures = clock.now() - since < SETTLED ? failures + 1 : 0;
        // Slack ends connections as a matter of course: the first time is no reason to wait.
        if (failures > 1) pause = retryDelay(failures);
        if (!stopped) logger.debug({ door: DOOR, pause }, 'the connection to Slack ended; connecting again');
      } catch (error) {
        failures += 1;
        const trouble = error === undefined ? null : troubleOf(error);
        pause = trouble?.kind === 'limited' ? trouble.afterMs : retryDelay(failures);
        const detail = trouble?.detail ?? 'the connection ended before it began';
        if (!stopped)
          logger.warn({ door: DOOR, trouble: detail, pause }, 'no connection to Slack; clicks cannot arrive');
      }
      if (pause > 0 && !stopped) await sleep(pause);
    }
  }

  function sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = clock.after(ms, resolve);
      interrupt = () => {
        cancel();
        resolve();
      };
    });
  }

  return {
    init(theApp) {
      app = theApp;
    },
    async start() {
      running = run();
    },
    async stop() {
      stopped = true;
      interrupt();
      await running;
    },
  };
}

/** Asks for a closing handshake, and a moment later closes without: the library itself would wait 30 s for it. */
function closeSocket(client: Socket, clock: Clock): void {
  void client.disconnect();
  clock.after(1_000, () => {
    if (client.websocket?.readyState !== undefined) void client.disconnect();
  });
}

/** The library trusts each message to be an object of the right form; what is not would be an unhandled rejection. */
function dropMalformed(client: Socket, logger: Logger): void {
  const deliver = client.listeners('ws_message');
  client.removeAllListeners('ws_message');
  client.on('ws_message', (data: unknown, isBinary: boolean) => {
    if (!isBinary && typeof data === 'string' && isEnvelope(data)) {
      for (const listener of deliver) listener(data, isBinary);
    } else logger.warn({ door: DOOR }, 'a malformed Socket Mode message was dropped');
  });
}

function isEnvelope(text: string): boolean {
  try {
    const { type, payload } = JSON.parse(text);
    if (typeof type !== 'string') return false;
    return (
      type === 'hello' ||
      type === 'disconnect' ||
      (typeof payload === 'object' &&
        payload !== null &&
        (type !== 'events_api' || typeof payload.event?.type === 'string'))
    );
  } catch {
    return false;
  }
}
