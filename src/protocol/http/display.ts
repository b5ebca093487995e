/**
 * Owns how a call is shown to reviewers and written to the log: plain text, credentials taken out, and honest
 * about what is not shown. Must never be parsed again.
 */

import type { HttpFacts, Json } from '../../core/facts.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Display } from '../../core/ticket.ts';
import { endToEnd, fieldsOf, visibleHeaders } from './headers.ts';
import { authorityText } from './host.ts';
import { redactBody, redactPath } from './redact.ts';
import type { HttpRequest, RequestHead } from './request.ts';
import { shownAuthority } from './target.ts';

export function displayOf(request: HttpRequest, facts: HttpFacts): Display {
  const { head, destination } = request;
  const { action } = facts;
  const fields: { name: string; value: string }[] = [
    { name: 'Host', value: authorityText(head.target.authority) },
  ];
  const add = (name: string, value: string | null) => {
    if (value) fields.push({ name, value });
  };
  add('Address', destination.address && `${destination.address} (${destination.class})`);
  add('Service', action.service);
  add('Operation', action.operation);
  add('Resource', action.resource);
  add('Namespace', action.namespace);
  add('Name', action.name);
  add('Subresource', action.subresource);
  add('Access', action.access);
  add('Tags', action.tags.join(', '));
  add('Body', bodyNote(request));
  return { title: titleOf(head, facts), text: callText(request, facts), fields };
}

/** The audit log's `action`: what it was, without headers and with credentials taken out. */
export function recordOf(request: HttpRequest, facts: HttpFacts): Json {
  const { head, destination, body } = request;
  const text = isTunnel(head) ? null : redactBody(body, facts.action.tags.includes('secrets'));
  return {
    text: titleOf(head, facts),
    method: head.method,
    url: urlOf(head),
    destination: { address: destination.address, port: destination.port, class: destination.class },
    action: { ...facts.action },
    body: text === null ? null : text.slice(0, LIMITS.auditCapture),
    body_cut: text !== null && text.length > LIMITS.auditCapture,
    body_sha256: body.sha256,
    body_octets: body.size,
  };
}

function titleOf(head: RequestHead, facts: HttpFacts): string {
  const { action } = facts;
  if (action.service === null || action.operation === null) return `${head.method} ${urlOf(head)}`;
  const what = [action.resource, action.name === action.resource ? null : action.name]
    .filter(Boolean)
    .join(' ');
  const where =
    action.namespace !== null && action.namespace !== action.name ? ` in ${action.namespace}` : '';
  const part = action.subresource === null ? '' : ` (${action.subresource})`;
  return `${action.service}: ${action.operation} ${what}${part}${where}`.trimEnd();
}

const isTunnel = (head: RequestHead): boolean => head.method === 'CONNECT';

function urlOf(head: RequestHead): string {
  const { scheme, authority, path } = head.target;
  if (isTunnel(head)) return authorityText(authority);
  return `${scheme}://${shownAuthority(head.target)}${redactPath(path)}`;
}

function callText(request: HttpRequest, facts: HttpFacts): string {
  const { head, body } = request;
  if (isTunnel(head))
    return `CONNECT ${authorityText(head.target.authority)}\n\n(a tunnel: nothing inside it can be seen)`;
  const shown = visibleHeaders(endToEnd(head.headers));
  const names = [...new Set([...fieldsOf(endToEnd(head.headers))].map(([name]) => name))];
  const lines = [`${head.method} ${urlOf(head)}`, ...names.map((name) => `${name}: ${shown[name]}`)];
  const text =
    body.size === 0
      ? ''
      : (redactBody(body, facts.action.tags.includes('secrets')) ?? `(${bodyNote(request)})`);
  return text === '' ? lines.join('\n') : `${lines.join('\n')}\n\n${text}`;
}

function bodyNote({ body }: HttpRequest): string | null {
  if (body.size === 0) return null;
  const size = body.size < 0 ? 'length not announced' : `${body.size} octets`;
  const digest = body.sha256 === null ? 'still arriving' : `sha256 ${body.sha256}`;
  return body.truncated ? `${size}, ${digest}, content not read` : `${size}, ${digest}`;
}
