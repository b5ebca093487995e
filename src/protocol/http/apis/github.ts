/**
 * Owns calls to GitHub's REST and GraphQL APIs, by the operation ids of GitHub's own OpenAPI document. Must never
 * call anything a read that is not listed or sent as one.
 */

import type { ActionFacts } from '../../../core/facts.ts';
import { accessOfMethod } from '../method.ts';
import { GITHUB_ROUTES } from './github-routes.ts';
import { describeGraphql } from './graphql.ts';
import { type ApiRequest, action } from './recogniser.ts';
import { matchRoute } from './routes.ts';

export function recogniseGithub(request: ApiRequest): ActionFacts | null {
  const { host, method } = request;
  if (host !== 'api.github.com' && host !== 'uploads.github.com' && !/^api\.[a-z0-9-]+\.ghe\.com$/.test(host))
    return null;
  const segments = request.segments.at(-1) === '' ? request.segments.slice(0, -1) : request.segments;
  if (segments[0] === 'graphql' && segments.length === 1) return describeGraphql(request, 'github');
  const resource = resourceOf(segments);
  const route = matchRoute(GITHUB_ROUTES, method, segments);
  if (route) {
    return action('github', route.access ?? accessOfMethod(method), {
      operation: route.operation,
      resource,
      tags: [...route.tags],
    });
  }
  return action('github', accessOfMethod(method) === 'read' ? 'read' : 'unknown', {
    resource,
    tags: method === 'DELETE' ? ['delete'] : [],
  });
}

/** `owner/repo`, or the organisation; null for what belongs to neither. */
function resourceOf(segments: readonly string[]): string | null {
  const [kind, owner, repo] = segments;
  if (kind === 'repos' && owner && repo) return `${owner}/${repo}`;
  return kind === 'orgs' && owner ? owner : null;
}
