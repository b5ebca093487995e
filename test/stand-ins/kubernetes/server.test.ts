/** The stand-in itself, before anything leans on it: with kubectl's own requests, and with kubectl where there is one. */

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Agent, fetch } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuthority } from '../../support/authority.ts';
import { onPath } from '../../support/on-path.ts';
import { type KubernetesApi, startKubernetesApi } from './server.ts';

const authority = createAuthority();
let api: KubernetesApi;
let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'holdpoint-kubernetes-'));
  await writeFile(join(home, 'ca.pem'), authority.cert);
  // The name that a client on this machine can use without a proxy.
  api = await startKubernetesApi(authority, 'localhost');
});

afterAll(async () => {
  await api?.stop();
  await rm(home, { recursive: true, force: true });
});

const restart = (at: string): string =>
  JSON.stringify({
    spec: { template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': at } } } },
  });

async function call(path: string, init: { method?: string; body?: string; token?: string } = {}) {
  const dispatcher = new Agent({ connect: { ca: authority.cert } });
  const response = await fetch(`https://localhost:${api.port}${path}`, {
    method: init.method ?? 'GET',
    headers: {
      authorization: `Bearer ${init.token ?? api.token}`,
      'content-type': 'application/strategic-merge-patch+json',
    },
    body: init.body ?? null,
    dispatcher,
  });
  const body = (await response.json()) as Record<string, unknown>;
  await dispatcher.close();
  return { status: response.status, body };
}

describe('the Kubernetes stand-in', () => {
  it('merges a restart into the pod template, and keeps the rest', async () => {
    const before = api.deployment('prod', 'worker');
    const path = '/apis/apps/v1/namespaces/prod/deployments/worker?fieldManager=kubectl-rollout';
    const { status } = await call(path, { method: 'PATCH', body: restart('2026-01-02T03:04:05Z') });
    expect(status).toBe(200);
    const after = api.deployment('prod', 'worker');
    expect(after?.spec.template.metadata).toEqual({
      labels: { app: 'worker' },
      annotations: { 'kubectl.kubernetes.io/restartedAt': '2026-01-02T03:04:05Z' },
    });
    expect(after?.spec.template.spec).toEqual(before?.spec.template.spec);
    expect(after?.metadata.generation).toBe(2);
    expect(api.requests.at(-1)?.body.toString()).toBe(restart('2026-01-02T03:04:05Z'));
  });

  it('scales, lists, and says no in the API’s own form', async () => {
    const scale = '/apis/apps/v1/namespaces/staging/deployments/api/scale';
    await call(scale, { method: 'PATCH', body: '{"spec":{"replicas":4}}' });
    expect((await call(scale)).body).toMatchObject({ kind: 'Scale', spec: { replicas: 4 } });
    expect((await call('/api/v1/namespaces/staging/pods')).body.items).toHaveLength(4);
    expect(await call('/apis/apps/v1/namespaces/prod/deployments/none')).toMatchObject({
      status: 404,
      body: { kind: 'Status', reason: 'NotFound' },
    });
    expect(await call('/api', { token: 'wrong' })).toMatchObject({ status: 401 });
    expect(await call('/api', { method: 'DELETE' })).toMatchObject({ status: 404 });
  });

  it.runIf(onPath('kubectl'))('answers kubectl', async () => {
    const server = [
      `--server=https://localhost:${api.port}`,
      `--certificate-authority=${join(home, 'ca.pem')}`,
    ];
    const kubectl = (...args: string[]) =>
      promisify(execFile)('kubectl', [...server, `--token=${api.token}`, '-n', 'prod', ...args], {
        env: { PATH: process.env.PATH, HOME: home, KUBECONFIG: join(home, 'none') },
      });
    expect((await kubectl('get', 'deployments')).stdout).toMatch(/^api .*\nworker /m);
    expect((await kubectl('rollout', 'restart', 'deployment/api')).stdout).toBe(
      'deployment.apps/api restarted\n',
    );
    expect((await kubectl('scale', 'deployment/api', '--replicas=5')).stdout).toBe(
      'deployment.apps/api scaled\n',
    );
    expect(api.deployment('prod', 'api')).toMatchObject({
      spec: {
        replicas: 5,
        template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': expect.any(String) } } },
      },
    });
  });
});
