/**
 * A running HTTP listener with a scripted pipeline in place of the real one, and servers to send things to.
 */

import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SocketAddress } from '../../../src/core/address.ts';
import type { Action, Admission, Caller, Outcome, Pipeline } from '../../../src/core/admission.ts';
import type { Decision } from '../../../src/core/decision.ts';
import { mintPermit, type Permit } from '../../../src/core/permit.ts';
import type { Clock, Logger } from '../../../src/core/ports.ts';
import { type Refusal, refusal } from '../../../src/core/refusal.ts';
import { parseHost } from '../../../src/protocol/http/host.ts';
import { issueAuthority, issueLeaf } from '../../../src/server/http/certificate.ts';
import { createCertificateAuthority } from '../../../src/server/http/certificate-authority.ts';
import {
  createHttpListener,
  type HttpListener,
  type HttpListenerOptions,
} from '../../../src/server/http/listener.ts';
import { createOwnAddresses } from '../../../src/server/http/own-addresses.ts';

export const clock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

export const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} };

const ALLOW: Decision = {
  effect: 'allow',
  rules: [],
  requirements: [],
  expires: null,
  grant: null,
  limits: null,
  mask: null,
  message: '',
};

export type Verdict = 'allow' | 'deny' | 'hold';

/** Answers by script; keeps what it was asked and told. */
export class ScriptedPipeline implements Pipeline {
  readonly asked: Action[] = [];
  readonly outcomes: Outcome[] = [];
  readonly withdrawn: Action[] = [];
  verdict: (action: Action) => Verdict = () => 'allow';
  #held: { action: Action; answer: (approved: boolean) => void }[] = [];
  #watchers: (() => void)[] = [];

  async admit(action: Action, caller: Caller): Promise<Admission> {
    this.asked.push(action);
    if (action.barred) return { refusal: { ...action.barred, decision: 'd-barred' } };
    const verdict = this.verdict(action);
    if (verdict === 'deny') return { refusal: this.#denied('policy_denied', 'the script denies it') };
    if (verdict === 'allow') return this.#permit(action, null);
    let judged = action;
    if (action.whole) {
      const whole = await action.whole();
      if ('code' in whole) return { refusal: whole };
      judged = whole;
      this.asked.push(judged);
    }
    const approved = await new Promise<boolean | null>((resolve) => {
      this.#held.push({ action: judged, answer: resolve });
      caller.signal.addEventListener('abort', () => resolve(null), { once: true });
      this.#wake();
    });
    if (approved === null) {
      this.withdrawn.push(judged);
      this.#wake();
      return { refusal: refusal('hold_withdrawn', 'the client went away') };
    }
    if (!approved) return { refusal: this.#denied('hold_denied', 'a reviewer said no', 'HP-00000001') };
    return this.#permit(judged, 'HP-00000001');
  }

  async preview(action: Action): Promise<Refusal | null> {
    return this.verdict(action) === 'deny' ? this.#denied('policy_denied', 'the script denies it') : null;
  }

  async settle(_permit: Permit, outcome: Outcome): Promise<void> {
    this.outcomes.push(outcome);
    this.#wake();
  }

  session(digest: string): Permit {
    return mintPermit('session', 'd-session', digest, null);
  }

  /** The next action that waits for a person, and its answer. */
  async held(): Promise<{ action: Action; answer: (approved: boolean) => void }> {
    await this.until(() => this.#held.length > 0);
    const first = this.#held.shift();
    if (!first) throw new Error('nothing is held');
    return first;
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  #wake(): void {
    for (const watcher of this.#watchers.splice(0)) watcher();
  }

  #denied(code: 'policy_denied' | 'hold_denied', reason: string, ticket: string | null = null) {
    return refusal(code, reason, {
      rules: [{ id: 'http.script', reason, severity: 'high', controls: [] }],
      ticket,
      decision: 'd-1',
    });
  }

  #permit(action: Action, ticket: string | null): Admission {
    return { permit: mintPermit('action', 'd-1', action.fingerprint.exact, ticket), decision: ALLOW, ticket };
  }
}

export interface RunningProxy {
  readonly pipeline: ScriptedPipeline;
  readonly listener: HttpListener;
  readonly port: number;
  readonly url: string;
  readonly stateDir: string;
  /** Path and text of the authority's certificate. */
  readonly caFile: string;
  readonly ca: string;
  /** Ports that count as our own besides the proxy's. */
  readonly own: SocketAddress[];
  stop(): Promise<void>;
}

export async function startProxy(
  more: Partial<HttpListenerOptions> = {},
  parts: { clock?: Clock } = {},
): Promise<RunningProxy> {
  const pipeline = new ScriptedPipeline();
  const time = parts.clock ?? clock;
  const stateDir = await mkdtemp(join(tmpdir(), 'holdpoint-http-'));
  const own: SocketAddress[] = [];
  const authority = await createCertificateAuthority({ stateDir, clock });
  const listener = createHttpListener(
    {
      listen: { host: '127.0.0.1', port: 0 },
      stateDir,
      tls: { intercept: true, bypass: [] },
      upstream: { ca: [], resolve: {} },
      maxBody: 64 * 1024,
      waitMs: 10_000,
      ...more,
    },
    { pipeline, authority, own: createOwnAddresses(() => own), clock: time, logger: quiet },
  );
  const address = await listener.start();
  own.push(address);
  return {
    pipeline,
    listener,
    port: address.port,
    url: `http://127.0.0.1:${address.port}`,
    stateDir,
    caFile: join(stateDir, 'ca.pem'),
    ca: authority.certificate,
    own,
    async stop() {
      await listener.drain();
      await rm(stateDir, { recursive: true });
    },
  };
}

export interface Origin {
  readonly port: number;
  readonly server: Server;
  stop(): Promise<void>;
}

export async function startOrigin(listener: RequestListener): Promise<Origin> {
  return serve(createHttpServer({ maxHeaderSize: 256 * 1024 }, listener));
}

/** An HTTPS server for `names`, under an authority of its own. */
export async function startTlsOrigin(
  names: readonly string[],
  listener: RequestListener,
): Promise<Origin & { readonly ca: string }> {
  const [name = 'localhost'] = names;
  const root = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const leaf = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ca = issueAuthority(root.privateKey, 'Test authority', Date.now());
  const host = parseHost(name);
  if (!host) throw new Error(`not a host: ${name}`);
  const cert = issueLeaf(
    { key: root.privateKey, commonName: 'Test authority' },
    leaf.publicKey,
    host,
    Date.now(),
  );
  const key = leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { ...(await serve(createHttpsServer({ key, cert }, listener))), ca };
}

async function serve(server: Server): Promise<Origin> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    server,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a real client without any proxy variable of ours. */
export function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(
      command,
      [...args],
      {
        env: { PATH: process.env.PATH, HOME: tmpdir(), ...env },
        maxBuffer: 64 * 1024 * 1024,
        encoding: 'utf8',
      },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
    );
  });
}

export async function fileWith(directory: string, name: string, content: string | Buffer): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, content);
  return path;
}
