/** Owns `holdpoint config check|schema|show`. Must never print a secret. */

import type { Command } from 'commander';
import { stringify } from 'yaml';
import { loadConfig } from '../config/load.ts';
import { configJsonSchema } from '../config/schema.ts';

const SECRET = /(?:token|secret|password)$/;

export function registerConfig(program: Command): void {
  const config = program.command('config').description('look at a configuration');
  config
    .command('check')
    .description('say everything that is wrong with it')
    .requiredOption('--config <file>', 'the configuration')
    .action(({ config: file }: { config: string }) => {
      loadConfig(file, process.env);
      process.stdout.write(`${file} is good\n`);
    });
  config
    .command('schema')
    .description('print the JSON Schema of the file')
    .action(() => {
      process.stdout.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
    });
  config
    .command('show')
    .description('print it as it is understood, defaults and all; secrets are left out')
    .requiredOption('--config <file>', 'the configuration')
    .option('--json', 'as JSON')
    .action(({ config: file, json }: { config: string; json?: true }) => {
      const shown = withoutSecrets(loadConfig(file, process.env));
      process.stdout.write(json ? `${JSON.stringify(shown, null, 2)}\n` : stringify(shown));
    });
}

function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      SECRET.test(key) && typeof item === 'string' ? '[redacted]' : withoutSecrets(item),
    ]),
  );
}
