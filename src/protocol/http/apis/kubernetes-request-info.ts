/**
 * Owns RequestInfo: verb, group, resource, namespace, name and subresource of a Kubernetes API path, as the API
 * server derives them. Must never go by the host: clusters have any name.
 *
 * It takes only paths that an API server could have: `/apis/{group}/{version}/…` with a well-formed version, and
 * `/api/v1/…` with a resource of the core group in a place where it may stand. Another API's `/api/v1/users` is
 * therefore none; its `/api/v1/events` may be taken for one, which only adds caution.
 */

import type { Access } from '../../../core/facts.ts';
import type { ApiRequest } from './recogniser.ts';

/** Group, resource and the rest, as RequestInfo has them. `group` is empty for the core group. */
export interface RequestInfo {
  readonly verb: string;
  readonly group: string;
  /** Null for a path that names no resource (discovery). */
  readonly resource: string | null;
  readonly namespace: string | null;
  readonly name: string | null;
  readonly subresource: string | null;
}

export const isReadVerb = (verb: string): boolean => verb === 'get' || verb === 'list' || verb === 'watch';

/** How far a write reaches when nothing more is known. */
export const plainAccess = (verb: string): Access => (isReadVerb(verb) ? 'read' : 'write');

const CORE_CLUSTER = new Set(['namespaces', 'nodes', 'persistentvolumes', 'componentstatuses']);
const CORE_NAMESPACED = new Set([
  'bindings',
  'configmaps',
  'endpoints',
  'events',
  'limitranges',
  'persistentvolumeclaims',
  'pods',
  'podtemplates',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'serviceaccounts',
  'services',
]);

const VERSION = /^v[1-9]\d*(?:(?:alpha|beta)[1-9]\d*)?$/;
const GROUP = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;
/** Groups of Kubernetes itself whose names have no dot; any other group is a domain name. */
const SHORT_GROUPS = new Set([
  'apps',
  'batch',
  'autoscaling',
  'policy',
  'extensions',
  'events',
  'admissionregistration',
]);

/** k8s.io/apiserver RequestInfoFactory.NewRequestInfo; null where the path is no API server's. */
export function requestInfo(request: ApiRequest): RequestInfo | null {
  const parts = request.segments.at(-1) === '' ? request.segments.slice(0, -1) : [...request.segments];
  const [prefix, ...afterPrefix] = parts;
  let group = '';
  let rest = afterPrefix;
  if (prefix === 'apis') {
    const [name = '', ...afterGroup] = afterPrefix;
    if (name === '') return parts.length === 1 ? discovery(request) : null;
    if (!GROUP.test(name) || !(name.includes('.') || SHORT_GROUPS.has(name))) return null;
    group = name;
    rest = afterGroup;
    if (rest.length === 0) return discovery(request);
  } else if (prefix !== 'api') {
    return null;
  }
  const [version = '', ...path] = rest;
  if (!VERSION.test(version) || (group === '' && version !== 'v1')) return null;
  if (path.length === 0) return discovery(request);
  return resourceInfo(request, group, path);
}

/** Paths of fewer than three parts name no resource: the verb is the method itself. */
function discovery(request: ApiRequest): RequestInfo {
  const verb = request.method.toLowerCase();
  return { verb, group: '', resource: null, namespace: null, name: null, subresource: null };
}

function resourceInfo(request: ApiRequest, group: string, path: readonly string[]): RequestInfo | null {
  let verb = verbOf(request.method);
  let parts = [...path];
  // Deprecated, and still served: the verb as a prefix.
  const special = parts[0] === 'watch' || parts[0] === 'proxy' ? parts[0] : null;
  if (special) {
    verb = special;
    parts = parts.slice(1);
    if (parts.length === 0) return null;
  }
  let namespace: string | null = null;
  if (parts[0] === 'namespaces' && parts.length > 1) {
    namespace = parts[1] ?? null;
    // `namespaces/x/status` and `/finalize` are about the namespace itself; anything else is inside it.
    const ownSubresource = group === '' && (parts[2] === 'status' || parts[2] === 'finalize');
    if (parts.length > 2 && !ownSubresource) parts = parts.slice(2);
  }
  const [resource = '', name = null, ...deeper] = parts;
  if (group === '' && !fitsCore(resource, name, namespace, verb)) return null;
  if (!/^[a-z0-9-]+$/.test(resource)) return null;
  const subresource = special === 'proxy' || deeper.length === 0 ? null : (deeper[0] ?? null);
  let effectiveName = name;
  if (name === null) {
    const selected = nameInFieldSelector(request);
    if (verb === 'get') verb = isTrue(request.query.watch) ? 'watch' : 'list';
    if (verb === 'delete') verb = 'deletecollection';
    if (verb === 'list' || verb === 'watch' || verb === 'deletecollection') effectiveName = selected;
  }
  return { verb, group, resource, namespace, name: effectiveName, subresource };
}

function fitsCore(resource: string, name: string | null, namespace: string | null, verb: string): boolean {
  if (CORE_CLUSTER.has(resource)) return namespace === null || resource === 'namespaces';
  if (!CORE_NAMESPACED.has(resource)) return false;
  // Across all namespaces one can only list and watch; everything else needs the namespace.
  return namespace !== null || (name === null && (verb === 'get' || verb === 'watch'));
}

function verbOf(method: string): string {
  switch (method) {
    case 'POST':
      return 'create';
    case 'GET':
    case 'HEAD':
      return 'get';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return 'delete';
    default:
      return method.toLowerCase();
  }
}

/** Conversion of `watch` and `dryRun`-like parameters: present and not false. */
const isTrue = (values: readonly string[] | undefined): boolean =>
  values?.some((value) => value !== '0' && value.toLowerCase() !== 'false') ?? false;

function nameInFieldSelector(request: ApiRequest): string | null {
  const selector = request.query.fieldSelector?.join(',') ?? '';
  return /(?:^|,)metadata\.name==?([A-Za-z0-9.-]+)(?:,|$)/.exec(selector)?.[1] ?? null;
}
