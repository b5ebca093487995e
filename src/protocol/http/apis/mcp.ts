/**
 * Owns calls to Model Context Protocol servers: JSON-RPC 2.0 over HTTP, by the methods of its specification.
 * Must never take another JSON-RPC API for it.
 */

import type { Access, ActionFacts, Json } from '../../../core/facts.ts';
import { type ApiRequest, action, field, textField } from './recogniser.ts';

const METHOD =
  /^(?:initialize|ping|(?:tools|resources|prompts|completion|logging|sampling|roots|elicitation|notifications|tasks)\/[\w/]+)$/;
const READ =
  /^(?:initialize|ping|(?:\w+\/)*(?:list|read|get|complete|subscribe|unsubscribe)|notifications\/.+)$/;

export function recogniseMcp(request: ApiRequest): ActionFacts | null {
  const declared =
    request.header('mcp-session-id') !== null || request.header('mcp-protocol-version') !== null;
  if (request.method !== 'POST') {
    // The same end point streams events to GET and ends a session on DELETE.
    if (!declared) return null;
    return action('mcp', request.method === 'GET' ? 'read' : 'write');
  }
  const { body } = request;
  if (Array.isArray(body)) {
    if (body.length === 0 || !body.every((message) => isMessage(message, declared))) return null;
    const calls = body.map(describe);
    return action('mcp', calls.every((call) => call.access === 'read') ? 'read' : 'unknown', {
      operation: 'batch',
      tags: [...new Set(['batch', ...calls.flatMap((call) => call.tags)])],
    });
  }
  return isMessage(body, declared) ? describe(body) : null;
}

function isMessage(message: Json, declared: boolean): boolean {
  if (field(message, 'jsonrpc') !== '2.0') return false;
  const method = textField(message, 'method');
  return method === null ? declared : declared || METHOD.test(method);
}

function describe(message: Json): ActionFacts {
  const method = textField(message, 'method');
  // The client's answer to something that the server asked: data going out.
  if (method === null) return action('mcp', 'write', { operation: 'response' });
  const isTool = method === 'tools/call';
  const parameters = field(message, 'params');
  const resource =
    isTool || method === 'prompts/get' ? textField(parameters, 'name') : textField(parameters, 'uri');
  return action('mcp', accessOf(method), { operation: method, resource, tags: isTool ? ['tool'] : [] });
}

function accessOf(method: string): Access {
  if (READ.test(method)) return 'read';
  return method === 'logging/setLevel' ? 'write' : 'unknown';
}
