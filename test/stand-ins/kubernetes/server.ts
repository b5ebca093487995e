/**
 * A Kubernetes API server, as far as `kubectl get`, `scale` and `rollout restart` of deployments need one: discovery,
 * deployments, their scale, pods. Keeps its objects in memory; asks for a bearer token as a real one does.
 */

import type { Authority } from '../../support/authority.ts';
import {
  type Answer,
  type HttpsServer,
  type ReceivedRequest,
  startHttpsServer,
} from '../../support/https-server.ts';
import { discovery } from './discovery.ts';
import { type Deployment, deployment, pods, scaleOf } from './objects.ts';
import { type Json, strategicMerge } from './patch.ts';

export const KUBERNETES_HOST = 'k8s.example.test';

export interface KubernetesApi extends HttpsServer {
  /** Accepted as the bearer token. */
  readonly token: string;
  /** The deployment as the server has it now. */
  deployment(namespace: string, name: string): Deployment | null;
}

export async function startKubernetesApi(
  authority: Authority,
  host = KUBERNETES_HOST,
): Promise<KubernetesApi> {
  const token = 'stand-in-service-account-token';
  const deployments = new Map<string, Deployment>();
  for (const [namespace, name, replicas] of SEED)
    deployments.set(`${namespace}/${name}`, deployment(namespace, name, replicas));
  const server = await startHttpsServer({
    authority,
    names: [host],
    answer: (request) =>
      request.headers.authorization === `Bearer ${token}`
        ? answer(request, deployments)
        : failure(401, 'Unauthorized', 'Unauthorized'),
  });
  return {
    ...server,
    token,
    deployment: (namespace, name) => deployments.get(`${namespace}/${name}`) ?? null,
  };
}

const SEED = [
  ['prod', 'api', 3],
  ['prod', 'worker', 2],
  ['staging', 'api', 1],
] as const;

function answer(request: ReceivedRequest, deployments: Map<string, Deployment>): Answer {
  const { pathname } = new URL(request.target, 'https://stand-in');
  const found = discovery(pathname);
  if (found !== null && request.method === 'GET') return { status: 200, body: found };

  const podList = /^\/api\/v1\/namespaces\/([^/]+)\/pods$/.exec(pathname);
  if (podList && request.method === 'GET') {
    const items = [...deployments.values()]
      .filter((item) => item.metadata.namespace === podList[1])
      .flatMap(pods);
    return { status: 200, body: { kind: 'PodList', apiVersion: 'v1', metadata: {}, items } };
  }

  const path = /^\/apis\/apps\/v1\/namespaces\/([^/]+)\/deployments(?:\/([^/]+)(?:\/(scale))?)?$/.exec(
    pathname,
  );
  if (!path) return failure(404, 'NotFound', 'the server could not find the requested resource');
  const [, namespace = '', name, subresource] = path;
  if (name === undefined) {
    const items = [...deployments.values()].filter((item) => item.metadata.namespace === namespace);
    const list = { kind: 'DeploymentList', apiVersion: 'apps/v1', metadata: {}, items };
    return request.method === 'GET' ? { status: 200, body: list } : notAllowed();
  }
  const key = `${namespace}/${name}`;
  const current = deployments.get(key);
  if (!current) return failure(404, 'NotFound', `deployments.apps "${name}" not found`);
  const next = subresource === 'scale' ? scale(request, current) : change(request, current);
  if (next === null) return notAllowed();
  if (next !== current) deployments.set(key, stored(next));
  const now = deployments.get(key) ?? current;
  return { status: 200, body: subresource === 'scale' ? scaleOf(now) : now };
}

/** The deployment after the request: itself for a read, null for a method that is not offered. */
function change({ method, headers, body }: ReceivedRequest, current: Deployment): Deployment | null {
  if (method === 'GET') return current;
  if (
    method !== 'PATCH' ||
    !/^application\/(?:strategic-)?merge-patch\+json/.test(headers['content-type'] ?? '')
  )
    return null;
  return strategicMerge(current as unknown as Json, JSON.parse(body.toString())) as unknown as Deployment;
}

function scale({ method, body }: ReceivedRequest, current: Deployment): Deployment | null {
  if (method === 'GET') return current;
  if (method !== 'PUT' && method !== 'PATCH') return null;
  const wanted = JSON.parse(body.toString()) as { spec?: { replicas?: number } };
  const replicas = wanted.spec?.replicas ?? current.spec.replicas;
  return { ...current, spec: { ...current.spec, replicas } };
}

function stored(next: Deployment): Deployment {
  const { metadata } = next;
  const version = String(Number(metadata.resourceVersion) + 1);
  return {
    ...next,
    metadata: { ...metadata, resourceVersion: version, generation: metadata.generation + 1 },
  };
}

const notAllowed = (): Answer =>
  failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource');

function failure(code: number, reason: string, message: string): Answer {
  const body = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code };
  return { status: code, body };
}
