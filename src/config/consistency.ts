/**
 * Owns the rules that span several keys of the configuration. Must never touch the machine.
 */

import { addressText } from '../core/address.ts';
import type { Config } from './schema.ts';
import type { ReferenceProblem } from './secrets.ts';
import type { ConfigPath } from './yaml.ts';

export function consistencyProblems(config: Config): ReferenceProblem[] {
  return [
    ...nothingToServe(config),
    ...listenersClash(config),
    ...peopleProblems(config),
    ...plaintext(config),
  ];
}

function nothingToServe(config: Config): ReferenceProblem[] {
  if (config.http || config.postgres.length > 0) return [];
  return [
    {
      path: [],
      message: 'neither http nor postgres is configured: there is nothing to serve',
    },
  ];
}

function listenersClash(config: Config): ReferenceProblem[] {
  const slack = config.approvals.slack;
  const listeners: [ConfigPath, { host: string; port: number }][] = [
    ...(config.http ? [[['http', 'listen'], config.http.listen] satisfies [ConfigPath, object]] : []),
    ...config.postgres.map((item, index): [ConfigPath, { host: string; port: number }] => [
      ['postgres', index, 'listen'],
      item.listen,
    ]),
    [['control', 'listen'], config.control.listen],
    ...(slack?.mode === 'http'
      ? [[['approvals', 'slack', 'listen'], slack.listen] satisfies [ConfigPath, object]]
      : []),
    ...(config.embedded_postgres
      ? [[['embedded_postgres', 'listen'], config.embedded_postgres.listen] satisfies [ConfigPath, object]]
      : []),
  ];
  const seen = new Set<string>();
  const problems: ReferenceProblem[] = [];
  for (const [path, { host, port }] of listeners) {
    const key = addressText({ host, port });
    if (port !== 0 && seen.has(key)) problems.push({ path, message: `${key} is used twice` });
    seen.add(key);
  }
  const names = new Set<string>();
  config.postgres.forEach(({ name }, index) => {
    if (names.has(name))
      problems.push({
        path: ['postgres', index, 'name'],
        message: `${name} is used twice`,
      });
    names.add(name);
  });
  return problems;
}

function peopleProblems(config: Config): ReferenceProblem[] {
  const { people, tokens } = config.approvals;
  const problems: ReferenceProblem[] = [];
  const ids = new Set<string>();
  const slackIds = new Set<string>();
  people.forEach(({ id, slack }, index) => {
    const path = ['approvals', 'people', index];
    if (ids.has(id.toLowerCase()))
      problems.push({
        path: [...path, 'id'],
        message: `${id} stands here twice`,
      });
    ids.add(id.toLowerCase());
    if (slack === undefined) return;
    if (slackIds.has(slack))
      problems.push({
        path: [...path, 'slack'],
        message: `${slack} is two people`,
      });
    slackIds.add(slack);
  });
  const hashes = new Set<string>();
  tokens.forEach((token, index) => {
    const path = ['approvals', 'tokens', index];
    if (!ids.has(token.person.toLowerCase())) {
      problems.push({
        path: [...path, 'person'],
        message: `${token.person} is not among approvals.people`,
      });
    }
    const key = 'file' in token ? token.file : token.sha256.toLowerCase();
    if (hashes.has(key)) problems.push({ path, message: 'the same token stands here twice' });
    hashes.add(key);
  });
  return problems;
}

function plaintext(config: Config): ReferenceProblem[] {
  return config.postgres.flatMap(({ upstream, tls }, index) =>
    tls === undefined && !isLocal(upstream.host)
      ? [
          {
            path: ['postgres', index, 'upstream'],
            message:
              'the server is on another machine, and this version speaks plaintext to it: say so with tls.mode: disable',
          },
        ]
      : [],
  );
}

function isLocal(host: string): boolean {
  return host.startsWith('/') || host === 'localhost' || host === '::1' || /^127\./.test(host);
}
