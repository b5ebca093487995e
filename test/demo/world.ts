/** Owns the parts that the demo plays with: the stand-ins, and a Holdpoint configured for them. All real processes. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HTTPS_API_HOST, startHttpsApi } from '../stand-ins/https-api/server.ts';
import { KUBERNETES_HOST, type KubernetesApi, startKubernetesApi } from '../stand-ins/kubernetes/server.ts';
import { type SlackStandIn, startSlackStandIn } from '../stand-ins/slack/stand-in.ts';
import { createAuthority } from '../support/authority.ts';
import { holdpoint } from '../support/holdpoint-cli.ts';
import type { HttpsServer } from '../support/https-server.ts';
import { type Running, startHoldpoint } from '../support/running.ts';

export interface World {
  readonly holdpoint: Running;
  readonly slack: SlackStandIn;
  readonly kubernetes: KubernetesApi;
  readonly api: HttpsServer;
  /** Scratch directory of the agent and the auditor. */
  readonly scratch: string;
  /** PEM of the authority that signs intercepted connections, and the file that it is in. */
  readonly interceptionCa: string;
  readonly interceptionCaFile: string;
  /** What the auditor has kept since the start: the key that the log is checked with. */
  readonly verifierKey: string;
  /** Ends and removes everything. */
  end(): Promise<void>;
}

export const OWNER_SLACK = 'U0DANA';
export const REVIEWER_SLACK = 'U0ROBIN';
/** The port that agents know; `upstream.resolve` leads it to the stand-in’s own. */
export const KUBERNETES_PORT = 6443;

export async function createWorld(): Promise<World> {
  const endings: (() => Promise<unknown>)[] = [];
  const end = async (): Promise<void> => {
    for (const ending of endings.splice(0).reverse()) await ending();
  };
  try {
    const scratch = await mkdtemp(join(tmpdir(), 'holdpoint-demo-'));
    endings.push(() => rm(scratch, { recursive: true, force: true }));
    const authority = createAuthority();
    const upstreamCa = join(scratch, 'upstream-ca.pem');
    await writeFile(upstreamCa, authority.cert);

    const api = await startHttpsApi(authority);
    endings.push(() => api.stop());
    const kubernetes = await startKubernetesApi(authority);
    endings.push(() => kubernetes.stop());
    const slack = await startSlackStandIn({
      users: [
        { id: OWNER_SLACK, name: 'dana', email: 'dana@example.com' },
        { id: REVIEWER_SLACK, name: 'robin', email: 'robin@example.com' },
      ],
    });
    endings.push(() => slack.stop());

    const running = await startHoldpoint({
      people: { 'dana@example.com': { slack: OWNER_SLACK }, 'robin@example.com': { slack: REVIEWER_SLACK } },
      config: {
        agent: { environment: 'production', purpose: 'nightly reconciliation' },
        http: {
          upstream: {
            ca: [upstreamCa],
            resolve: {
              [`${HTTPS_API_HOST}:443`]: `127.0.0.1:${api.port}`,
              [`${KUBERNETES_HOST}:${KUBERNETES_PORT}`]: `127.0.0.1:${kubernetes.port}`,
            },
          },
        },
        approvals: {
          slack: {
            mode: 'socket',
            api_url: slack.apiUrl,
            bot_token: slack.botToken,
            app_token: slack.appToken,
            channel: '#approvals',
          },
        },
      },
      data: {
        hosts: { known: [HTTPS_API_HOST, KUBERNETES_HOST] },
        relations: { sensitive: ['payments'] },
        namespaces: { protected: ['prod'] },
      },
    });
    endings.push(() => running.stop());
    await slack.waitForConnections(1);

    const printed = await holdpoint('ca', 'print', '--config', running.configFile);
    if (printed.code !== 0) throw new Error(`holdpoint ca print failed: ${printed.stderr}`);
    const interceptionCaFile = join(scratch, 'holdpoint-ca.pem');
    await writeFile(interceptionCaFile, printed.stdout);
    const verifierKey = (await readFile(join(running.stateDir, 'audit.pub'), 'utf8')).trim();
    return {
      holdpoint: running,
      slack,
      kubernetes,
      api,
      scratch,
      interceptionCa: printed.stdout,
      interceptionCaFile,
      verifierKey,
      end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}
