/**
 * Owns what a Kubernetes call means to people: restart, scale, exec, secrets, privilege … and how much access it
 * takes. Errs towards more. Must never parse a path: that is kubernetes-request-info.ts.
 */

import type { Access, Json } from '../../../core/facts.ts';
import { isReadVerb, plainAccess, type RequestInfo } from './kubernetes-request-info.ts';
import { type ApiRequest, field } from './recogniser.ts';

export interface Meaning {
  readonly access: Access;
  readonly tags: string[];
}

/** Run code in, or reach through, something in the cluster. */
const EXEC = new Set(['exec', 'attach', 'portforward', 'ephemeralcontainers']);
/** Resources whose loss or change reaches past one namespace, or that decide who may do what. */
const CLUSTER_ADMIN = new Set([
  '/namespaces',
  '/nodes',
  '/persistentvolumes',
  'apiextensions.k8s.io/customresourcedefinitions',
  'apiregistration.k8s.io/apiservices',
  'storage.k8s.io/storageclasses',
  'scheduling.k8s.io/priorityclasses',
  'policy/podsecuritypolicies',
]);
/** Reviews are POSTed, and change nothing. */
const QUESTIONS = new Set(['authorization.k8s.io', 'authentication.k8s.io']);
const WORKLOADS = new Set([
  'deployments',
  'statefulsets',
  'daemonsets',
  'replicasets',
  'replicationcontrollers',
  'pods',
  'jobs',
  'cronjobs',
]);

export function kubernetesMeaning(info: RequestInfo, request: ApiRequest): Meaning {
  const { verb, group, resource, subresource } = info;
  const tags = new Set<string>();
  let access = resource === null ? discoveryAccess(verb) : plainAccess(verb);
  const raise = (to: Access) => {
    if (access !== 'admin') access = to;
  };
  const writes = resource !== null && !isReadVerb(verb);

  if (resource === 'secrets' && group === '') tags.add('secrets');
  if (resource === 'configmaps' && group === '' && writes) tags.add('config');
  if (verb === 'delete' || verb === 'deletecollection') tags.add('delete');
  if (verb === 'deletecollection') tags.add('bulk');

  if (subresource !== null && EXEC.has(subresource)) {
    tags.add('exec');
    raise('admin');
  }
  // A pod that something keeps running comes back: deleting it is how people restart one.
  if (verb === 'delete' && resource === 'pods' && group === '') tags.add('restart');
  if (subresource === 'proxy' || verb === 'proxy') {
    tags.add('proxy');
    // The kubelet's own API runs commands in any container of the node.
    if (resource === 'nodes') tags.add('exec');
    raise('admin');
  }
  if (subresource === 'scale' && writes) tags.add('scale');
  if (subresource === 'eviction') tags.add('restart');
  if (resource === 'serviceaccounts' && subresource === 'token') {
    tags.add('credential');
    raise('admin');
  }
  if (group === 'certificates.k8s.io' && writes) {
    tags.add('credential');
    raise('admin');
  }
  if (writes && (group === 'rbac.authorization.k8s.io' || group === 'admissionregistration.k8s.io')) {
    tags.add('privilege');
    raise('admin');
  }
  if (request.header('impersonate-user') !== null || request.header('impersonate-uid') !== null) {
    tags.add('privilege');
    raise('admin');
  }
  if (writes && CLUSTER_ADMIN.has(`${group}/${resource}`) && subresource !== 'status') raise('admin');
  if (QUESTIONS.has(group) && verb === 'create' && resource?.endsWith('reviews')) access = 'read';

  if (
    writes &&
    resource !== null &&
    WORKLOADS.has(resource) &&
    verb !== 'delete' &&
    verb !== 'deletecollection'
  ) {
    workload(request, verb, subresource, tags, raise);
  }
  if (writes && isTruthy(request.query.dryRun)) tags.add('dry_run');
  return { access, tags: [...tags] };
}

const discoveryAccess = (method: string): Access =>
  method === 'get' || method === 'head' ? 'read' : 'unknown';

function workload(
  request: ApiRequest,
  verb: string,
  subresource: string | null,
  tags: Set<string>,
  raise: (to: Access) => void,
): void {
  if (subresource !== null && subresource !== 'ephemeralcontainers') return;
  const isJsonPatch = Array.isArray(request.body);
  if (restarts(request.body)) tags.add('restart');
  else if (
    verb === 'patch' &&
    (field(field(request.body, 'spec'), 'replicas') !== null || patches(request.body, '/spec/replicas'))
  ) {
    tags.add('scale');
  } else tags.add('deploy');
  if (escapesSandbox(request.body) || (isJsonPatch && patchesSandbox(request.body))) {
    tags.add('privileged');
    raise('admin');
  } else if (request.bodyUnknown) {
    // A pod specification that cannot be read may ask for anything.
    raise('unknown');
  }
}

/** `kubectl rollout restart` patches an annotation of the pod template; so do several consoles, by other names. */
const RESTARTED_AT = /^(?:[a-z0-9.-]+\/)?restarted-?at$/i;

function restarts(body: Json): boolean {
  if (Array.isArray(body)) {
    return body.some((operation) => {
      const path = field(operation, 'path');
      const key = typeof path === 'string' ? path.slice(path.lastIndexOf('/') + 1).replaceAll('~1', '/') : '';
      return RESTARTED_AT.test(key) || restarts(field(operation, 'value'));
    });
  }
  const annotations = field(field(field(field(body, 'spec'), 'template'), 'metadata'), 'annotations');
  return (
    annotations !== null &&
    typeof annotations === 'object' &&
    Object.keys(annotations).some((key) => RESTARTED_AT.test(key))
  );
}

const patches = (body: Json, pointer: string): boolean =>
  Array.isArray(body) && body.some((operation) => field(operation, 'path') === pointer);

/** Capabilities that are as good as the host itself. */
const HOST_CAPABILITIES = new Set([
  'ALL',
  'SYS_ADMIN',
  'SYS_PTRACE',
  'SYS_MODULE',
  'NET_ADMIN',
  'SYS_RAWIO',
  'BPF',
  'DAC_READ_SEARCH',
]);

/** Looks at every depth: a pod specification sits elsewhere in a Pod, a Deployment, a CronJob and a patch. */
function escapesSandbox(value: Json): boolean {
  if (Array.isArray(value)) return value.some(escapesSandbox);
  if (value === null || typeof value !== 'object') return false;
  return Object.entries(value).some(([key, inner]) => opensHost(key, inner) || escapesSandbox(inner));
}

function opensHost(key: string, value: Json): boolean {
  switch (key) {
    case 'privileged':
    case 'allowPrivilegeEscalation':
    case 'hostPID':
    case 'hostIPC':
    case 'hostNetwork':
    case 'hostProcess':
      return value === true;
    case 'hostPath':
      return value !== null;
    case 'capabilities': {
      const added = field(value, 'add');
      return (
        Array.isArray(added) &&
        added.some((name) => typeof name === 'string' && HOST_CAPABILITIES.has(name.replace(/^CAP_/, '')))
      );
    }
    default:
      return false;
  }
}

/** In a JSON patch (RFC 6902) the key is the end of the path. */
function patchesSandbox(body: Json): boolean {
  return (
    Array.isArray(body) &&
    body.some((operation) => {
      const path = field(operation, 'path');
      if (typeof path !== 'string') return false;
      if (/\/capabilities\/add(?:\/|$)/.test(path)) return true;
      return opensHost(path.slice(path.lastIndexOf('/') + 1), field(operation, 'value'));
    })
  );
}

const isTruthy = (values: readonly string[] | undefined): boolean =>
  values?.some((value) => value !== '') ?? false;
