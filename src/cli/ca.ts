/**
 * Owns `holdpoint ca`: what clients need to trust the local certificate authority. Must never print its key.
 */

import type { Command } from 'commander';
import { createCertificateAuthority } from '../server/http/certificate-authority.ts';

export interface CaCommandDeps {
  /** The state directory that a configuration file names. */
  stateDirOf(configPath: string): Promise<string>;
  now(): number;
  write(text: string): void;
}

export function registerCa(program: Command, deps: CaCommandDeps): void {
  const ca = program.command('ca').description('the certificate authority that signs for intercepted hosts');
  ca.command('print')
    .description('print its certificate (PEM); it is created where there is none yet')
    .requiredOption('--config <file>', 'configuration file')
    .action(async (options: { config: string }) => {
      const stateDir = await deps.stateDirOf(options.config);
      const { certificate } = await createCertificateAuthority({ stateDir, clock: { now: deps.now } });
      deps.write(certificate);
    });
}
