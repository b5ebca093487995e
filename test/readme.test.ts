import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { loadConfig } from '../src/config/load.ts';

const PROJECT = resolve(import.meta.dirname, '..');
const readme = readFileSync(join(PROJECT, 'README.md'), 'utf8');

it('shows a configuration that is good as it stands', () => {
  const [, example = ''] = /^```yaml\n([\s\S]*?)^```/m.exec(readme) ?? [];
  const folder = mkdtempSync(join(tmpdir(), 'holdpoint-readme-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'holdpoint.yaml'), example);
  writeFileSync(join(folder, 'data.yaml'), '{}');
  const config = loadConfig(join(folder, 'holdpoint.yaml'), { SLACK_BOT_TOKEN: 'b', SLACK_APP_TOKEN: 'a' });
  expect(config.agent.owner).toBe('dana@example.com');
  expect(config.approvals.slack?.mode).toBe('socket');
});

it('links to files that are there', () => {
  const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map(([, target = '']) => target);
  expect(links.length).toBeGreaterThan(3);
  for (const target of links) expect(() => readFileSync(join(PROJECT, target))).not.toThrow(/ENOENT/);
});
