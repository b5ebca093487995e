/**
 * Owns gRPC calls (`/package.Service/Method`). What a method does is its server's secret: access stays unknown. Must
 * never read a message.
 */

import type { ActionFacts } from '../../../core/facts.ts';
import { type ApiRequest, action } from './recogniser.ts';

export function recogniseGrpc(request: ApiRequest): ActionFacts | null {
  const type = request.header('content-type');
  if (
    request.method !== 'POST' ||
    type === null ||
    !/^application\/grpc(?:-web(?:-text)?)?(?:\+[a-z0-9.-]+)?\s*(?:;|$)/i.test(type)
  ) {
    return null;
  }
  const [service = '', method = '', ...more] = request.segments;
  const wellFormed = more.length === 0 && /^[\w.]+$/.test(service) && /^\w+$/.test(method);
  return action('grpc', 'unknown', { operation: wellFormed ? `${service}/${method}` : null });
}
