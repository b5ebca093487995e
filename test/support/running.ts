/**
 * A whole Holdpoint as people run it: the built program, a configuration file, an embedded PostgreSQL with the sample
 * data, ports of its own, everything in a directory that is removed afterwards.
 */

import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePorts } from './ports.ts';
import { type Program, type ProgramOptions, startProgram } from './program.ts';

const SAMPLE = fileURLToPath(new URL('../../deploy/local/sample.sql', import.meta.url));

export interface Person {
  readonly id: string;
  /** Bearer token for the control API. */
  readonly token: string;
}

export interface Running {
  /** Holds the configuration and the state directory; removed by `stop`. */
  readonly home: string;
  readonly stateDir: string;
  readonly configFile: string;
  readonly pid: number;
  /** Milliseconds from the start of the process until it was ready. */
  readonly readyAfter: number;
  /** Through Holdpoint, as the agent. */
  readonly agentUrl: string;
  /** The same user straight at the database: to prepare, and to look at what really happened. */
  readonly directUrl: string;
  readonly proxyUrl: string;
  readonly controlUrl: string;
  /** Owns the agent, and is in the group of approvers. */
  readonly owner: Person;
  /** In the groups of approvers and data owners. */
  readonly reviewer: Person;
  /** What it has written so far, both streams. */
  output(): string;
  /** Its exit code, once it is gone; null where a signal ended it. */
  readonly exited: Promise<number | null>;
  signal(name: NodeJS.Signals): void;
  /** Runs it again on the same directory and ports, once it is gone. */
  startAgain(options?: ProgramOptions): Promise<void>;
  /** Asks it to stop, and waits until it has. What it wrote stays. @returns its exit code. */
  terminate(): Promise<number | null>;
  /** The same, and removes everything. */
  stop(): Promise<void>;
}

type Tree = { readonly [key: string]: unknown };

/** Where it is going to listen. */
export interface Ports {
  readonly postgres: number;
  readonly embedded: number;
  readonly http: number;
  readonly control: number;
}

export interface RunningOptions extends ProgramOptions {
  /** Laid over the configuration, key by key at every depth; what is undefined in it is left out. */
  readonly config?: Tree | ((ports: Ports) => Tree);
  /** Laid over the people, by id: `{ 'robin@example.com': { slack: 'U2' } }`. */
  readonly people?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** What policy is tuned with. */
  readonly data?: object;
}

/** Milliseconds: the drain of open requests, and then some. */
const STOPS_WITHIN = 20_000;

const DATA = { relations: { sensitive: ['payments'] } };

export async function startHoldpoint(options: RunningOptions = {}): Promise<Running> {
  const home = await mkdtemp(join(tmpdir(), 'holdpoint-running-'));
  const [postgres = 0, embedded = 0, http = 0, control = 0] = await freePorts(4);
  const owner = { id: 'dana@example.com', token: randomBytes(24).toString('base64url') };
  const reviewer = { id: 'robin@example.com', token: randomBytes(24).toString('base64url') };
  const people = [
    { id: owner.id, groups: ['approvers'] },
    { id: reviewer.id, groups: ['approvers', 'data-owners'] },
  ].map((person) => ({ ...person, ...options.people?.[person.id] }));
  const base = {
    version: 1,
    state_dir: './state',
    agent: { id: 'demo-agent', owner: owner.id, environment: 'test', purpose: 'being tested' },
    http: { listen: `127.0.0.1:${http}` },
    postgres: [
      { name: 'main', listen: `127.0.0.1:${postgres}`, upstream: `postgres://127.0.0.1:${embedded}` },
    ],
    embedded_postgres: { data_dir: './postgres', listen: `127.0.0.1:${embedded}`, sample: SAMPLE },
    policy: { data: './data.yaml' },
    control: { listen: `127.0.0.1:${control}` },
    approvals: {
      people,
      tokens: [owner, reviewer].map(({ id, token }) => ({
        person: id,
        sha256: createHash('sha256').update(token).digest('hex'),
      })),
    },
  };
  const ports = { postgres, embedded, http, control };
  const over = typeof options.config === 'function' ? options.config(ports) : (options.config ?? {});
  const configFile = join(home, 'holdpoint.yaml');
  // JSON is YAML.
  await writeFile(configFile, JSON.stringify(laidOver(base, over), null, 2));
  await writeFile(join(home, 'data.yaml'), JSON.stringify(options.data ?? DATA, null, 2));

  const controlUrl = `http://127.0.0.1:${control}`;
  let program: Program;
  let readyAfter = 0;
  const start = async (how: ProgramOptions): Promise<void> => {
    const started = performance.now();
    program = startProgram(['start', '--config', configFile], how);
    if (!(await isReady(controlUrl, program.exited)))
      throw new Error(`Holdpoint did not get ready; it wrote:\n${program.output()}`);
    readyAfter = performance.now() - started;
  };
  const terminate = async (): Promise<number | null> => {
    program.signal('SIGTERM');
    const impatience = setTimeout(() => program.signal('SIGKILL'), STOPS_WITHIN);
    const code = await program.exited;
    clearTimeout(impatience);
    return code;
  };
  const stop = async (): Promise<void> => {
    await terminate();
    await rm(home, { recursive: true, force: true });
  };
  try {
    await start(options);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    home,
    stateDir: join(home, 'state'),
    configFile,
    get pid() {
      return program.pid;
    },
    get readyAfter() {
      return readyAfter;
    },
    agentUrl: `postgres://agent:agent@127.0.0.1:${postgres}/app`,
    directUrl: `postgres://agent:agent@127.0.0.1:${embedded}/app`,
    proxyUrl: `http://127.0.0.1:${http}`,
    controlUrl,
    owner,
    reviewer,
    output: () => program.output(),
    get exited() {
      return program.exited;
    },
    signal: (name) => program.signal(name),
    startAgain: (how = {}) => start(how),
    terminate,
    stop,
  };
}

function laidOver(under: Tree, over: Tree): Tree {
  const merged: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isTree(below) && isTree(value) ? laidOver(below, value) : value;
  }
  return merged;
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Asks /readyz until it says yes; no once the process is gone or a minute has passed. */
async function isReady(controlUrl: string, exited: Promise<number | null>): Promise<boolean> {
  let gone = false;
  void exited.then(() => {
    gone = true;
  });
  for (const until = Date.now() + 60_000; !gone && Date.now() < until; ) {
    const response = await fetch(`${controlUrl}/readyz`).catch(() => null);
    await response?.body?.cancel();
    if (response?.status === 200) return true;
    await delay(25);
  }
  return false;
}
