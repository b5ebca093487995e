import { describe, expect, it } from 'vitest';
import type { Json } from '../../../src/core/facts.ts';
import { explainHttp } from '../../../src/protocol/http/explain.ts';

const call = (method: string, path: string, body?: Json, headers: Record<string, string> = {}) =>
  explainHttp({
    method,
    url: `https://cluster.test${path}`,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).facts.action;

describe('Kubernetes RequestInfo', () => {
  // The cases of k8s.io/apiserver's own test of RequestInfo, as far as they name resources.
  it.each([
    ['GET', '/api/v1/namespaces', 'list', 'namespaces', null, null, null],
    ['GET', '/api/v1/namespaces/other', 'get', 'namespaces', 'other', 'other', null],
    ['GET', '/api/v1/namespaces/other/pods', 'list', 'pods', 'other', null, null],
    ['GET', '/api/v1/namespaces/other/pods/foo', 'get', 'pods', 'other', 'foo', null],
    ['HEAD', '/api/v1/namespaces/other/pods/foo', 'get', 'pods', 'other', 'foo', null],
    ['GET', '/api/v1/pods', 'list', 'pods', null, null, null],
    ['GET', '/api/v1/namespaces/other/pods/foo?watch=1', 'get', 'pods', 'other', 'foo', null],
    ['GET', '/api/v1/watch/pods', 'watch', 'pods', null, null, null],
    ['GET', '/api/v1/watch/namespaces/other/pods', 'watch', 'pods', 'other', null, null],
    ['GET', '/api/v1/namespaces/other/pods?watch=1', 'watch', 'pods', 'other', null, null],
    ['GET', '/api/v1/namespaces/other/pods?watch=true', 'watch', 'pods', 'other', null, null],
    ['GET', '/api/v1/namespaces/other/pods?watch=false', 'list', 'pods', 'other', null, null],
    ['GET', '/api/v1/namespaces/other/pods?watch=0', 'list', 'pods', 'other', null, null],
    [
      'GET',
      '/api/v1/namespaces/other/pods?fieldSelector=metadata.name%3Dfoo',
      'list',
      'pods',
      'other',
      'foo',
      null,
    ],
    ['DELETE', '/api/v1/namespaces/other/pods', 'deletecollection', 'pods', 'other', null, null],
    ['DELETE', '/api/v1/namespaces/other/pods/foo', 'delete', 'pods', 'other', 'foo', null],
    ['GET', '/api/v1/namespaces/other/pods/foo/log', 'get', 'pods', 'other', 'foo', 'log'],
    ['PUT', '/api/v1/namespaces/other/finalize', 'update', 'namespaces', 'other', 'other', 'finalize'],
    ['PATCH', '/api/v1/namespaces/other/status', 'patch', 'namespaces', 'other', 'other', 'status'],
    ['GET', '/api/v1/proxy/namespaces/other/pods/foo', 'proxy', 'pods', 'other', 'foo', null],
    [
      'GET',
      '/api/v1/namespaces/other/services/foo:80/proxy/x/y',
      'get',
      'services',
      'other',
      'foo:80',
      'proxy',
    ],
    ['POST', '/api/v1/namespaces/other/pods', 'create', 'pods', 'other', null, null],
    [
      'GET',
      '/apis/apps/v1/namespaces/other/deployments/foo',
      'get',
      'apps/deployments',
      'other',
      'foo',
      null,
    ],
    ['GET', '/apis/apps/v1/deployments', 'list', 'apps/deployments', null, null, null],
    [
      'GET',
      '/apis/cert-manager.io/v1alpha2/namespaces/a/certificates',
      'list',
      'cert-manager.io/certificates',
      'a',
      null,
      null,
    ],
    ['PATCH', '/api/v1/nodes/n1', 'patch', 'nodes', null, 'n1', null],
    ['GET', '/apis/apps/v1', 'get', null, null, null, null],
    ['GET', '/api/v1', 'get', null, null, null, null],
    ['GET', '/apis', 'get', null, null, null, null],
  ])('%s %s', (method, path, operation, resource, namespace, name, subresource) => {
    expect(call(method, path)).toMatchObject({
      service: 'kubernetes',
      operation,
      resource,
      namespace,
      name,
      subresource,
    });
  });

  it.each([
    ['GET', '/api/v1/users'],
    ['POST', '/api/v1/events'],
    ['GET', '/api/v1/pods/foo'],
    ['GET', '/api/v2/pods'],
    ['GET', '/api/pods'],
    ['GET', '/apis/things/v1/x'],
    ['GET', '/apis/apps/latest/x'],
    ['GET', '/v1/api/v1/pods'],
    ['GET', '/api/v1/namespaces/a/widgets'],
  ])('is not %s %s', (method, path) => expect(call(method, path).service).not.toBe('kubernetes'));

  it('is none of an ambiguous path', () => {
    expect(call('GET', '/api/v1/namespaces/a%2fb/pods')).toMatchObject({
      service: null,
      access: 'unknown',
      tags: ['ambiguous'],
    });
  });
});

describe('what a Kubernetes call means', () => {
  const deployment = '/apis/apps/v1/namespaces/prod/deployments/api';
  const restartedAt = { 'kubectl.kubernetes.io/restartedAt': '2026-11-23T00:00:00Z' };
  const pod = (spec: Json) => ({ spec: { template: { spec } } }) as Json;
  const container = (securityContext: Json) => pod({ containers: [{ name: 'x', securityContext }] });

  it.each<[string, string, string, Json | undefined, string, string[]]>([
    [
      'a rollout restart',
      'PATCH',
      deployment,
      { spec: { template: { metadata: { annotations: restartedAt } } } },
      'write',
      ['restart'],
    ],
    [
      'a rollout restart as a JSON patch',
      'PATCH',
      deployment,
      [
        {
          op: 'add',
          path: '/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt',
          value: 'now',
        },
      ],
      'write',
      ['restart'],
    ],
    ['scaling by patching the object', 'PATCH', deployment, { spec: { replicas: 0 } }, 'write', ['scale']],
    [
      'scaling by JSON patch',
      'PATCH',
      deployment,
      [{ op: 'replace', path: '/spec/replicas', value: 0 }],
      'write',
      ['scale'],
    ],
    [
      'a new image',
      'PATCH',
      deployment,
      pod({ containers: [{ name: 'x', image: 'y' }] }),
      'write',
      ['deploy'],
    ],
    ['a privileged container', 'PATCH', deployment, container({ privileged: true }), 'admin', ['privileged']],
    [
      'a host path',
      'PATCH',
      deployment,
      pod({ volumes: [{ hostPath: { path: '/' } }] }),
      'admin',
      ['privileged'],
    ],
    ['the host network', 'PATCH', deployment, pod({ hostNetwork: true }), 'admin', ['privileged']],
    [
      'a mighty capability',
      'PATCH',
      deployment,
      container({ capabilities: { add: ['CAP_SYS_ADMIN'] } }),
      'admin',
      ['privileged'],
    ],
    [
      'privilege by JSON patch',
      'PATCH',
      deployment,
      [{ op: 'add', path: '/spec/template/spec/containers/0/securityContext/privileged', value: true }],
      'admin',
      ['privileged'],
    ],
    [
      'an ordinary security context',
      'PATCH',
      deployment,
      container({ privileged: false, runAsNonRoot: true }),
      'write',
      ['deploy'],
    ],
    ['a debug container', 'PATCH', '/api/v1/namespaces/a/pods/p/ephemeralcontainers', {}, 'admin', ['exec']],
    ['attach', 'POST', '/api/v1/namespaces/a/pods/p/attach', undefined, 'admin', ['exec']],
    ['port-forward', 'POST', '/api/v1/namespaces/a/pods/p/portforward', undefined, 'admin', ['exec']],
    ['a service proxy', 'GET', '/api/v1/namespaces/a/services/s/proxy/', undefined, 'admin', ['proxy']],
    ['logs', 'GET', '/api/v1/namespaces/a/pods/p/log', undefined, 'read', []],
    ['a secret', 'GET', '/api/v1/namespaces/a/secrets/s', undefined, 'read', ['secrets']],
    ['a new secret', 'POST', '/api/v1/namespaces/a/secrets', { kind: 'Secret' }, 'write', ['secrets']],
    ['a token', 'POST', '/api/v1/namespaces/a/serviceaccounts/s/token', {}, 'admin', ['credential']],
    ['a role', 'PUT', '/apis/rbac.authorization.k8s.io/v1/namespaces/a/roles/r', {}, 'admin', ['privilege']],
    ['reading roles', 'GET', '/apis/rbac.authorization.k8s.io/v1/clusterroles', undefined, 'read', []],
    [
      'an admission webhook',
      'DELETE',
      '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/w',
      undefined,
      'admin',
      ['privilege', 'delete'],
    ],
    [
      'a custom resource definition',
      'DELETE',
      '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/c',
      undefined,
      'admin',
      ['delete'],
    ],
    ['cordoning', 'PATCH', '/api/v1/nodes/n', { spec: { unschedulable: true } }, 'admin', []],
    [
      'asking what one may do',
      'POST',
      '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      {},
      'read',
      [],
    ],
    ['deleting a pod', 'DELETE', '/api/v1/namespaces/a/pods/p', undefined, 'write', ['delete']],
    [
      'a dry run',
      'PATCH',
      `${deployment}?dryRun=All`,
      { spec: { replicas: 0 } },
      'write',
      ['scale', 'dry_run'],
    ],
  ])('%s', (_name, method, path, body, access, tags) => {
    const action = call(method, path, body);
    expect(action.access).toBe(access);
    expect(action.tags).toEqual(expect.arrayContaining(tags));
    if (tags.length === 0) expect(action.tags).toEqual([]);
  });

  it('is unknown where a pod specification cannot be read', () => {
    const action = explainHttp({
      method: 'POST',
      url: 'https://cluster.test/api/v1/namespaces/a/pods',
      headers: { 'content-type': 'application/yaml' },
      body: 'spec:\n  hostNetwork: true\n',
    }).facts.action;
    expect(action.access).toBe('unknown');
  });

  it('sees impersonation', () => {
    expect(call('GET', '/api/v1/namespaces/a/pods', undefined, { 'impersonate-user': 'root' })).toMatchObject(
      {
        access: 'admin',
        tags: ['privilege'],
      },
    );
  });
});
