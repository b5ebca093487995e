import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../src/config/load.ts';

const AGENT = 'agent: { id: bot, owner: dana@example.com, environment: test, purpose: testing }';
const MINIMAL = `version: 1
state_dir: ./state
${AGENT}
http: { listen: 127.0.0.1:3128 }
`;

function fileOf(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdpoint-config-'));
  mkdirSync(join(folder, 'sub'));
  const file = join(folder, 'holdpoint.yaml');
  writeFileSync(file, text);
  writeFileSync(join(folder, 'secret.txt'), 'xapp-from-a-file\n');
  return file;
}

function problemsOf(text: string, env: Record<string, string> = {}): string[] {
  const file = fileOf(text);
  try {
    loadConfig(file, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((line) => line.replace(`${file}:`, ''));
    throw error;
  }
  return [];
}

describe('loading a configuration', () => {
  it('fills in the documented defaults, and freezes the whole', () => {
    const config = loadConfig(fileOf(MINIMAL), {});
    expect(config).toMatchObject({
      http: { tls: { intercept: true, bypass: [] }, inspect: { max_body: 1024 * 1024 } },
      policy: { bundle: 'builtin', mode: 'enforce' },
      hold: { wait: { http: 50_000, postgres: 300_000, in_transaction: 20_000 }, max_pending: 100 },
      control: { listen: { host: '127.0.0.1', port: 3180 } },
      audit: { capture: 'redacted' },
      store: { url: 'sqlite:' },
    });
    expect(Object.isFrozen(config.hold.wait)).toBe(true);
  });

  it('takes paths from the folder of the file', () => {
    const file = fileOf(MINIMAL);
    expect(loadConfig(file, {}).state_dir).toBe(join(file, '..', 'state'));
  });

  it('takes values from the environment and from files', () => {
    const config = loadConfig(
      fileOf(`${MINIMAL}approvals:
  slack: { mode: socket, bot_token: "\${BOT}", app_token: "file:secret.txt", channel: "#approvals" }
`),
      { BOT: 'xoxb-from-env' },
    );
    expect(config.approvals.slack).toMatchObject({
      bot_token: 'xoxb-from-env',
      app_token: 'xapp-from-a-file',
    });
  });

  it('accepts null and empty for what this version does not offer', () => {
    const text = `${MINIMAL.replace('{ listen: 127.0.0.1:3128 }', '{ listen: 127.0.0.1:3128, upstream: { proxy: null }, routes: [], credentials: [] }')}approvals: { teams: null, slack: null }
audit: { sinks: [] }
`;
    expect(problemsOf(text)).toEqual([]);
  });
});

describe('a bad configuration', () => {
  it('names every problem at once, by line and path, in order', () => {
    expect(
      problemsOf(`version: 1
state_dir: ./state
agent: { id: bot, owner: dana@example.com, environment: test }
http:
  listen: 127.0.0.1
  tls: { intercpt: true }
hold: { wait: { http: 50 }, max_pending: 0 }
approvals:
  tokens:
    - { person: nobody@example.com, sha256: abc }
  slack: { mode: socket, bot_token: "\${NOT_THERE}", app_token: "file:missing.txt", channel: c }
policy: { mode: relaxed }
`),
    ).toEqual([
      '3: agent.purpose: missing',
      '5: http.listen: expected an address such as 127.0.0.1:3128',
      '6: http.tls.intercpt: unknown key',
      '7: hold.wait.http: expected string, received number',
      '7: hold.max_pending: Too small: expected number to be >=1',
      '10: approvals.tokens[0].sha256: expected 64 hex digits',
      '11: approvals.slack.bot_token: the environment has no NOT_THERE',
      '11: approvals.slack.app_token: cannot read the file missing.txt',
      '12: policy.mode: Invalid option: expected one of "enforce"|"shadow"',
    ]);
  });

  it.each([
    [
      'a feature that is not built',
      `${MINIMAL}approvals: { teams: { app_id: x } }`,
      /approvals\.teams: .*not offered/,
    ],
    ['an unknown key at the top', `${MINIMAL}extras: 1`, /5: extras: unknown key/],
    ['a key that stands twice', `${MINIMAL}version: 1`, /5: Map keys must be unique/],
    ['what is not YAML', 'version: [1', /1: Flow sequence/],
    ['an alias', `${MINIMAL}x: &a [1]\ny: *a`, /alias/i],
    ['another version', MINIMAL.replace('version: 1', 'version: 2'), /1: version: /],
    [
      'one address twice',
      `${MINIMAL}control: { listen: 127.0.0.1:3128 }`,
      /5: control\.listen: .* used twice/,
    ],
    ['nothing to serve', `version: 1\nstate_dir: ./s\n${AGENT}\n`, /nothing to serve/],
    [
      'a token of a stranger',
      `${MINIMAL}approvals: { tokens: [{ person: x@example.com, sha256: "${'0'.repeat(64)}" }] }`,
      /x@example\.com is not among/,
    ],
    [
      'one Slack id for two people',
      `${MINIMAL}approvals: { people: [{ id: a, slack: U1 }, { id: b, slack: U1 }] }`,
      /U1 is two people/,
    ],
    ['a person twice', `${MINIMAL}approvals: { people: [{ id: a@x }, { id: A@X }] }`, /stands here twice/],
    [
      'a missing CA file',
      MINIMAL.replace('}\n', '}\n').replace(
        '{ listen: 127.0.0.1:3128 }',
        '{ listen: 127.0.0.1:3128, upstream: { ca: [no.pem] } }',
      ),
      /http\.upstream\.ca\[0\]: there is no file/,
    ],
    [
      'credentials in the upstream',
      `${MINIMAL}postgres: [{ name: a, listen: 127.0.0.1:1, upstream: "postgres://u:p@127.0.0.1" }]`,
      /postgres\[0\]\.upstream: expected postgres:/,
    ],
    [
      'plaintext to another machine, unsaid',
      `${MINIMAL}postgres: [{ name: a, listen: 127.0.0.1:1, upstream: "postgres://db.internal" }]`,
      /tls\.mode: disable/,
    ],
    [
      'TLS to the server',
      `${MINIMAL}postgres: [{ name: a, listen: 127.0.0.1:1, upstream: "postgres://127.0.0.1", tls: { mode: verify-full } }]`,
      /this version speaks plaintext/,
    ],
  ])('refuses %s', (_what, text, problem) => {
    expect(problemsOf(text).join('\n')).toMatch(problem);
  });

  it('says that a file cannot be read', () => {
    expect(() => loadConfig('/nonexistent/holdpoint.yaml', {})).toThrow(/cannot be read \(ENOENT\)/);
  });
});
