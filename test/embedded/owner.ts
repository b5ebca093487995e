/** A process that starts an embedded PostgreSQL, tells of it in one line, and waits to be killed. */

import { startEmbeddedPostgres } from '../../src/embedded/postgres.ts';
import { silentLogger } from '../support/logger.ts';

const [dataDir = '', initSql = ''] = process.argv.slice(2);
const { pid, superuserUrl } = await startEmbeddedPostgres({
  dataDir,
  port: 0,
  initSql,
  logger: silentLogger,
});
process.stdout.write(`${JSON.stringify({ pid, superuserUrl })}\n`);
