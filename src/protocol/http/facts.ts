/**
 * Owns the step from a request as read to the facts that policy sees (design section 3). Anything that could be
 * read two ways sets `ambiguous` and takes the access back to unknown. Must never judge.
 *
 * `host` is the canonical authority: the port is written where it is not the scheme's own, as Envoy has it.
 * `portValue` is the port that will be dialled, which `upstream.resolve` may have changed.
 */

import type { ActionFacts, HttpFacts } from '../../core/facts.ts';
import { recogniseGeneric } from './apis/generic.ts';
import { type ApiRequest, action } from './apis/recogniser.ts';
import { recognise } from './apis/registry.ts';
import { hasConflict, listOf, soleValue, visibleHeaders } from './headers.ts';
import { authorityText } from './host.ts';
import { overridesMethod } from './method.ts';
import { type PathFacts, readPath } from './path.ts';
import type { HttpRequest, RequestHead } from './request.ts';
import { shownAuthority } from './target.ts';

export function httpFacts(request: HttpRequest): HttpFacts {
  const { head, destination, body } = request;
  const path = readPath(head.target.path);
  const upgrade = requestedUpgrade(head);
  const ambiguous =
    request.contradictory === true || path.ambiguous || body.ambiguous || hasConflict(head.headers);
  return {
    kind: 'http',
    attributes: {
      request: {
        http: {
          method: head.method,
          path: head.target.path,
          host: shownAuthority(head.target),
          scheme: head.target.scheme,
          protocol: head.protocol,
          headers: visibleHeaders(head.headers),
          size: body.size,
        },
      },
      destination: {
        address: { socketAddress: { address: destination.address, portValue: destination.port } },
      },
    },
    parsed_path: path.parsed,
    parsed_query: path.query,
    parsed_body: body.parsed,
    truncated_body: body.truncated,
    http: {
      segments: path.segments,
      ambiguous,
      upgrade,
      tls: head.tls,
      destination_class: destination.class,
      body_sha256: body.sha256,
    },
    action: actionFacts(request, path, upgrade, ambiguous),
  };
}

/** A CONNECT that will not be intercepted: all that policy can go by is where it leads. */
export function tunnelFacts(
  head: RequestHead,
  destination: HttpRequest['destination'],
  body: HttpRequest['body'],
): HttpFacts {
  const facts = httpFacts({ head, destination, body });
  return {
    ...facts,
    attributes: {
      ...facts.attributes,
      request: {
        http: {
          ...facts.attributes.request.http,
          host: authorityText(head.target.authority),
          path: '',
          size: -1,
        },
      },
    },
    parsed_path: [],
    http: { ...facts.http, segments: [] },
    action: action(null, 'unknown', { tags: ['tunnel', ...destinationTags(destination)] }),
  };
}

function actionFacts(
  request: HttpRequest,
  path: PathFacts,
  upgrade: string | null,
  ambiguous: boolean,
): ActionFacts {
  const { head, destination, body } = request;
  const tags = destinationTags(destination);
  const api: ApiRequest = {
    method: head.method,
    scheme: head.target.scheme,
    host: head.target.authority.host.name,
    segments: path.segments.map(decodeSegment),
    query: path.query,
    header: (name) => soleValue(head.headers, name),
    upgrade,
    body: body.parsed,
    bodyUnknown: body.truncated || (body.size !== 0 && body.parsed === null),
  };
  const overridden = overridesMethod(head.headers, path.query, body.parsed);
  let found: ActionFacts;
  if (path.ambiguous) found = action(null, 'unknown');
  else if (tags.length > 0) found = recogniseGeneric(api);
  else found = recognise(api);
  if (overridden) tags.push('method_override');
  if (ambiguous) tags.push('ambiguous');
  // What is visible is not what runs: only the worst reading survives.
  const access = (overridden || ambiguous) && found.access !== 'admin' ? 'unknown' : found.access;
  return { ...found, access, tags: [...new Set([...found.tags, ...tags])] };
}

const destinationTags = (destination: HttpRequest['destination']): string[] => [
  ...(destination.self ? ['self'] : []),
  ...(destination.class === 'metadata' ? ['metadata'] : []),
];

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** The protocol that an Upgrade asks for, when Connection says that it is meant; null otherwise. */
function requestedUpgrade(head: Pick<RequestHead, 'headers'>): string | null {
  if (!listOf(head.headers, 'connection').includes('upgrade')) return null;
  return listOf(head.headers, 'upgrade')[0] ?? null;
}
