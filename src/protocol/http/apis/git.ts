/**
 * Owns git's own traffic over HTTP (gitprotocol-http): fetching and pushing, on any host. Must never read packs.
 */

import type { ActionFacts } from '../../../core/facts.ts';
import { type ApiRequest, action } from './recogniser.ts';

export function recogniseGit(request: ApiRequest): ActionFacts | null {
  const last = request.segments.at(-1);
  const resource = (count: number) =>
    request.segments
      .slice(0, -count)
      .join('/')
      .replace(/\.git$/, '') || null;
  if (request.method === 'POST' && last === 'git-upload-pack') {
    return action('git', 'read', { operation: last, resource: resource(1) });
  }
  if (request.method === 'POST' && last === 'git-receive-pack') {
    return action('git', 'write', { operation: last, resource: resource(1), tags: ['push'] });
  }
  const service = request.query.service?.[0];
  if (
    request.method === 'GET' &&
    last === 'refs' &&
    request.segments.at(-2) === 'info' &&
    service?.startsWith('git-')
  ) {
    return action('git', 'read', { operation: 'info/refs', resource: resource(2) });
  }
  return null;
}
