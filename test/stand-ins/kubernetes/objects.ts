/** The Kubernetes objects that the stand-in serves, in the API's own form. */

export interface Deployment {
  readonly kind: 'Deployment';
  readonly apiVersion: 'apps/v1';
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation: number;
    readonly creationTimestamp: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly replicas: number;
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: {
      readonly metadata: {
        readonly labels: Readonly<Record<string, string>>;
        readonly annotations?: Readonly<Record<string, string>>;
      };
      readonly spec: { readonly containers: readonly { readonly name: string; readonly image: string }[] };
    };
  };
  readonly status: {
    readonly replicas: number;
    readonly readyReplicas: number;
    readonly availableReplicas: number;
  };
}

const CREATED = '2026-01-05T08:00:00Z';

export function deployment(namespace: string, name: string, replicas: number): Deployment {
  const labels = { app: name };
  return {
    kind: 'Deployment',
    apiVersion: 'apps/v1',
    metadata: {
      name,
      namespace,
      uid: `00000000-0000-4000-8000-${Buffer.from(`${namespace}-${name}`).toString('hex').padEnd(12, '0').slice(0, 12)}`,
      resourceVersion: '1000',
      generation: 1,
      creationTimestamp: CREATED,
      labels,
    },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name, image: `registry.example.test/${name}:1.4.2` }] },
      },
    },
    status: { replicas, readyReplicas: replicas, availableReplicas: replicas },
  };
}

/** autoscaling/v1, the form of a scale subresource. */
export function scaleOf({ metadata, spec, status }: Deployment): unknown {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: spec.replicas },
    status: { replicas: status.replicas, selector: `app=${name}` },
  };
}

export function pods({ metadata, spec }: Deployment): unknown[] {
  return Array.from({ length: spec.replicas }, (_, index) => ({
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: {
      name: `${metadata.name}-7d9c5b${index}`,
      namespace: metadata.namespace,
      creationTimestamp: CREATED,
      labels: metadata.labels,
    },
    spec: spec.template.spec,
    status: { phase: 'Running' },
  }));
}
