import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/core/limits.ts';
import { BUILTIN_BUNDLE, loadBundle } from '../../src/policy/bundle.ts';
import { readBundleFiles } from '../../src/policy/bundle-files.ts';
import { createPolicyEngine } from '../../src/policy/engine.ts';

const MANIFEST = { wasm: [{ entrypoint: 'holdpoint/decision', module: '/policy.wasm' }] };

async function archive(files: Record<string, string | Buffer>): Promise<Buffer> {
  const tar = pack();
  for (const [name, content] of Object.entries(files)) tar.entry({ name }, content);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return gzipSync(Buffer.concat(chunks));
}

describe('loading a bundle', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'holdpoint-bundle-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const put = (name: string, content: string | Buffer): string => {
    const file = join(directory, name);
    writeFileSync(file, content);
    return file;
  };
  const load = (bundle: string, data: string | null = null) => loadBundle({ bundle, data });

  it('finds the default packs, with the paths that they read', async () => {
    const { reads, data, revision } = await load('builtin');
    expect(reads).toContainEqual(['sql', 'statements']);
    expect(reads).not.toContainEqual([]);
    expect(reads?.map((path) => path[0])).not.toContain('time');
    expect(JSON.parse(data)).toMatchObject({ config: { default_effect: 'hold' }, prepared: { version: 1 } });
    expect(revision).toMatch(/^[0-9a-f]{16}$/);
  });

  it('takes a directory as well as an archive, and calls both by the same revision', async () => {
    for (const [name, content] of await readBundleFiles(BUILTIN_BUNDLE)) put(name, Buffer.from(content));
    expect((await load(directory)).revision).toBe((await load('builtin')).revision);
    const policy = await createPolicyEngine({ bundle: directory, data: null });
    await policy.close();
  });

  it('lays the knobs of a file over those of the bundle, and changes the revision', async () => {
    const over = put('over.yaml', 'hosts: { known: ["only.test"] }\n');
    const before = await load('builtin');
    const after = await load('builtin', over);
    expect(JSON.parse(after.data)).toMatchObject({
      config: { hosts: { known: ['only.test'], denied: [] }, rows: { bulk: 1000 } },
      prepared: { hosts: { known: { exact: { 'only.test': true } } } },
    });
    expect(after.revision).not.toBe(before.revision);
  });

  it('puts data where its directory says, JSON and YAML', async () => {
    const bundle = put(
      'bundle.tar.gz',
      await archive({
        '/.manifest': JSON.stringify({ ...MANIFEST, revision: 'v7' }),
        './data.json': '{"a": {"b": 1}}',
        '/a/c/data.yaml': 'd: 2\n',
        '/notes/other.json': '{"ignored": true}',
        '/policy.wasm': 'wasm',
      }),
    );
    const { data, revision, reads } = await load(bundle);
    expect(JSON.parse(data)).toEqual({ a: { b: 1, c: { d: 2 } }, config: {}, prepared: { version: 1 } });
    expect(revision).toMatch(/^v7\+[0-9a-f]{16}$/);
    expect(reads).toBeNull();
  });

  it.each([
    ['no module', { '.manifest': JSON.stringify(MANIFEST) }, /holds no policy\.wasm/],
    ['sources only', { 'main.rego': 'package holdpoint' }, /compile them first: npm run policy:build/],
    ['no manifest', { 'policy.wasm': 'x' }, /has no entry point holdpoint\/decision/],
    [
      'a manifest of another form',
      { 'policy.wasm': 'x', '.manifest': '{"wasm": 1}' },
      /\.manifest is malformed/,
    ],
    ['a manifest that is no JSON', { 'policy.wasm': 'x', '.manifest': '{' }, /\.manifest cannot be parsed/],
    [
      'a signature that nobody verifies',
      { 'policy.wasm': 'x', '.manifest': JSON.stringify(MANIFEST), '.signatures.json': '{}' },
      /signatures of bundles cannot be verified/,
    ],
    [
      'data said twice',
      {
        'policy.wasm': 'x',
        '.manifest': JSON.stringify(MANIFEST),
        'data.json': '{"a":{"b":1}}',
        'a/data.json': '{"b":2}',
      },
      /a\/data\.json repeats b|data\.json repeats b/,
    ],
  ])('refuses one with %s', async (_what, files, problem) => {
    await expect(load(put('bundle.tar.gz', await archive(files)))).rejects.toThrow(problem);
  });

  it('refuses what is not an archive, is not there, or is cut short', async () => {
    await expect(load(put('a', 'not gzip'))).rejects.toThrow('cannot be read as a bundle');
    await expect(load(join(directory, 'absent'))).rejects.toThrow('cannot be read as a bundle');
    const whole = await archive({ 'policy.wasm': 'x'.repeat(10_000) });
    await expect(load(put('b', whole.subarray(0, whole.length - 20)))).rejects.toThrow();
  });

  it('reads no more than its bound, packed or unpacked', async () => {
    // One header and the end of the archive go along with the file.
    const most = LIMITS.policyBundle - 3 * 512;
    const bomb = put('bomb', await archive({ 'policy.wasm': Buffer.alloc(most + 1) }));
    await expect(load(bomb)).rejects.toThrow(`larger than ${LIMITS.policyBundle} octets`);
    mkdirSync(join(directory, 'unpacked'));
    put('unpacked/policy.wasm', Buffer.alloc(LIMITS.policyBundle + 1));
    await expect(load(join(directory, 'unpacked'))).rejects.toThrow(
      `larger than ${LIMITS.policyBundle} octets`,
    );
    const fits = await archive({ 'policy.wasm': Buffer.alloc(most) });
    await expect(load(put('fits', fits))).rejects.toThrow('has no entry point');
  });

  it('refuses knobs that cannot be read', async () => {
    await expect(load('builtin', join(directory, 'absent.yaml'))).rejects.toThrow('absent.yaml');
    await expect(load('builtin', put('list.yaml', '- 1\n'))).rejects.toThrow('is not a set of knobs');
    await expect(load('builtin', put('typo.yaml', 'host: {}\n'))).rejects.toThrow('no such knob');
  });

  it('refuses a module that is not one', async () => {
    const bundle = put('x', await archive({ '.manifest': JSON.stringify(MANIFEST), 'policy.wasm': 'x' }));
    await expect(createPolicyEngine({ bundle, data: null })).rejects.toThrow(
      'is not a policy that can be run',
    );
  });
});
