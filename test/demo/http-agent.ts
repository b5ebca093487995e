/** The agent on the web: requests through the proxy as HTTPS_PROXY makes clients send them, and kubectl where there is one. */

import { request as plainRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { fetch, ProxyAgent } from 'undici';
import { KUBERNETES_HOST } from '../stand-ins/kubernetes/server.ts';
import { onPath } from '../support/on-path.ts';
import { run } from '../support/run.ts';
import { KUBERNETES_PORT, type World } from './world.ts';

export interface HttpOutcome {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export interface HttpsRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Over CONNECT, trusting nobody but Holdpoint's own authority: an answer proves that it was intercepted. */
export async function sendHttps(world: World, url: string, init: HttpsRequest = {}): Promise<HttpOutcome> {
  const dispatcher = new ProxyAgent({
    uri: world.holdpoint.proxyUrl,
    requestTls: { ca: world.interceptionCa },
  });
  try {
    const response = await fetch(url, { ...init, dispatcher });
    return {
      status: response.status,
      contentType: response.headers.get('content-type') ?? '',
      body: await response.text(),
    };
  } finally {
    await dispatcher.close();
  }
}

/** In absolute-form (RFC 9112, section 3.2.2), as clients ask a proxy for http: URLs. */
export function sendHttp(world: World, url: string): Promise<HttpOutcome> {
  const { hostname, port } = new URL(world.holdpoint.proxyUrl);
  return new Promise((settle, reject) => {
    const headers = { host: new URL(url).host };
    const outgoing = plainRequest({ hostname, port, path: url, headers, agent: false }, (response) => {
      const { statusCode = 0, headers: received } = response;
      const contentType = received['content-type'] ?? '';
      text(response).then((body) => settle({ status: statusCode, contentType, body }), reject);
    });
    outgoing.once('error', reject);
    outgoing.end();
  });
}

export interface RestartOutcome {
  readonly ok: boolean;
  readonly text: string;
}

/** `kubectl rollout restart`, or the two requests that it comes down to. */
export async function restartDeployment(
  world: World,
  namespace: string,
  name: string,
): Promise<RestartOutcome> {
  return onPath('kubectl') ? withKubectl(world, namespace, name) : withRequests(world, namespace, name);
}

async function withKubectl(world: World, namespace: string, name: string): Promise<RestartOutcome> {
  const args = [
    `--server=https://${KUBERNETES_HOST}:${KUBERNETES_PORT}`,
    `--certificate-authority=${world.interceptionCaFile}`,
    `--token=${world.kubernetes.token}`,
    ...['rollout', 'restart', `deployment/${name}`, '--namespace', namespace],
  ];
  const env = { HOME: world.scratch, HTTPS_PROXY: world.holdpoint.proxyUrl };
  const { code, stdout, stderr } = await run('kubectl', args, { env });
  return { ok: code === 0, text: (stdout + stderr).trim() };
}

async function withRequests(world: World, namespace: string, name: string): Promise<RestartOutcome> {
  const base = `https://${KUBERNETES_HOST}:${KUBERNETES_PORT}`;
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
  const authorization = `Bearer ${world.kubernetes.token}`;
  const read = await sendHttps(world, base + path, { headers: { authorization } });
  if (read.status !== 200) return { ok: false, text: read.body };
  const restartedAt = new Date().toISOString();
  const annotations = { 'kubectl.kubernetes.io/restartedAt': restartedAt };
  const { status, body } = await sendHttps(world, `${base}${path}?fieldManager=kubectl-rollout`, {
    method: 'PATCH',
    headers: { authorization, 'content-type': 'application/strategic-merge-patch+json' },
    body: JSON.stringify({ spec: { template: { metadata: { annotations } } } }),
  });
  return { ok: status === 200, text: status === 200 ? `deployment.apps/${name} restarted` : body };
}
