/** Owns the bundle archive: the same files always give the same octets. */

import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

/** @param files contents by path. */
export async function archiveOf(files) {
  const tar = pack();
  for (const [name, content] of Object.entries(files)) {
    tar.entry({ name: `/${name}`, mtime: new Date(0), mode: 0o644 }, content);
  }
  tar.finalize();
  const chunks = [];
  for await (const chunk of tar) chunks.push(chunk);
  return gzipSync(Buffer.concat(chunks), { level: 9 });
}
