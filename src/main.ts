#!/usr/bin/env node
/** Owns the process: arguments in, exit code out. Everything else is in cli/. */

import { readFileSync } from 'node:fs';
import { run } from './cli/program.ts';

const manifest: { version: string } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
);

process.exitCode = await run(process.argv.slice(2), manifest.version);
