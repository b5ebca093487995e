/** What a Kubernetes client asks before anything else: which groups, versions and resources there are. */

const RESOURCES = {
  v1: [
    resource('namespaces', 'Namespace', false, ['get', 'list']),
    resource('pods', 'Pod', true, ['get', 'list'], ['po']),
  ],
  'apps/v1': [
    resource('deployments', 'Deployment', true, ['get', 'list', 'patch'], ['deploy']),
    {
      ...resource('deployments/scale', 'Scale', true, ['get', 'patch', 'update']),
      group: 'autoscaling',
      version: 'v1',
    },
  ],
};

function resource(
  name: string,
  kind: string,
  namespaced: boolean,
  verbs: string[],
  shortNames: string[] = [],
) {
  return { name, singularName: '', namespaced, kind, verbs, ...(shortNames.length > 0 && { shortNames }) };
}

const APPS = {
  name: 'apps',
  versions: [{ groupVersion: 'apps/v1', version: 'v1' }],
  preferredVersion: { groupVersion: 'apps/v1', version: 'v1' },
};

/** The document at a discovery path; null where the path is none. */
export function discovery(path: string): unknown {
  switch (path) {
    case '/version':
      return { major: '1', minor: '32', gitVersion: 'v1.32.4', platform: 'linux/amd64' };
    case '/api':
      return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
    case '/apis':
      return { kind: 'APIGroupList', apiVersion: 'v1', groups: [APPS] };
    case '/api/v1':
      return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: 'v1', resources: RESOURCES.v1 };
    case '/apis/apps/v1':
      return {
        kind: 'APIResourceList',
        apiVersion: 'v1',
        groupVersion: 'apps/v1',
        resources: RESOURCES['apps/v1'],
      };
    default:
      return null;
  }
}
