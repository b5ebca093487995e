/**
 * Owns the recogniser of Kubernetes API calls: the API server's own RequestInfo, and what it means to people.
 * Must never go by the host.
 */

import type { ActionFacts } from '../../../core/facts.ts';
import { kubernetesMeaning } from './kubernetes-meaning.ts';
import { requestInfo } from './kubernetes-request-info.ts';
import { type ApiRequest, action } from './recogniser.ts';

export function recogniseKubernetes(request: ApiRequest): ActionFacts | null {
  const info = requestInfo(request);
  if (!info) return null;
  const meaning = kubernetesMeaning(info, request);
  return action('kubernetes', meaning.access, {
    operation: info.verb,
    resource:
      info.resource === null ? null : info.group === '' ? info.resource : `${info.group}/${info.resource}`,
    namespace: info.namespace,
    name: info.name,
    subresource: info.subresource,
    tags: meaning.tags,
  });
}
