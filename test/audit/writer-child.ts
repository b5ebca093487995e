/** A writer in a process of its own, to be killed or starved: prints the seq of each append that resolved. */

import { machineClock } from '../../src/app/machine.ts';
import { createAuditLog } from '../../src/audit/log.ts';
import { draft } from '../../src/core/record.ts';

const [directory = '', mode = 'forever'] = process.argv.slice(2);
const log = await createAuditLog({ directory, clock: machineClock, capture: 'redacted', checkpointMs: 20 });
process.stdout.write('open\n');
for (let index = 0; ; index += 1) {
  try {
    const detail = { index, padding: 'x'.repeat(300) };
    const [first, second] = await Promise.all([
      log.append(draft('decision', { id: `${index}`, detail }), { durable: index % 10 === 0 }),
      log.append(draft('outcome', { id: `${index}`, detail })),
    ]);
    process.stdout.write(`${first.seq}\n${second.seq}\n`);
  } catch (error) {
    process.stdout.write(`failed ${error instanceof Error ? error.message : ''}\n`);
    if (mode === 'until-failure') break;
  }
}
const again = await log.append(draft('outcome')).then(
  () => 'taken',
  () => 'refused',
);
process.stdout.write(`again ${again}\n`);
await log.close().catch(() => {});
