import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

const PROJECT = resolve(import.meta.dirname, '..');
const manifest = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));

function packed(): string[] {
  const json = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: PROJECT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(json)[0].files.map(({ path }: { path: string }) => path);
}

describe('the package', () => {
  it('holds what it takes to run, and nothing of a state directory', () => {
    const state = join(PROJECT, 'deploy/local/.holdpoint');
    const created = mkdirSync(state, { recursive: true, mode: 0o700 });
    const made = mkdtempSync(join(state, 'packed-'));
    onTestFinished(() => rmSync(created ?? made, { recursive: true }));
    writeFileSync(join(made, 'person.token'), 'a secret');
    const files = packed();
    expect(files).toEqual(
      expect.arrayContaining([
        manifest.bin.holdpoint,
        ...Object.values<string>(manifest.imports).map((path) => path.replace('./', '')),
        'policies/builtin.tar.gz',
        'deploy/local/holdpoint.yaml',
        'LICENSE',
        'README.md',
      ]),
    );
    const roots = /^(?:dist|policies|deploy)\/|^(?:package\.json|README\.md|LICENSE)$/;
    expect(
      files.filter((path) => !roots.test(path) || /\.holdpoint|\.token$|\.pem$|\.db$/.test(path)),
    ).toEqual([]);
  });

  it('pins every dependency to one version', () => {
    const { dependencies, devDependencies, optionalDependencies } = manifest;
    const versions = Object.values<string>({ ...dependencies, ...devDependencies, ...optionalDependencies });
    expect(versions.filter((version) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))).toEqual([]);
  });
});
