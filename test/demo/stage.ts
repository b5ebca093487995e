/** Owns what the demo shows and what it found: acts, lines of who does what, checks. Knows nothing of Holdpoint. */

export type Who = 'agent' | 'owner' | 'reviewer' | 'auditor';

export interface CheckResult {
  readonly claim: string;
  readonly ok: boolean;
  /** What was seen instead. */
  readonly seen?: string;
}

export interface ActResult {
  readonly title: string;
  readonly ok: boolean;
  readonly seconds: number;
  readonly checks: readonly CheckResult[];
  /** What kept the act from going on, where something did. */
  readonly trouble: string | null;
}

export interface Stage {
  /** Plays one act; what it throws ends that act and fails it, and the next goes on. */
  act(title: string, play: (scene: Scene) => Promise<void>): Promise<void>;
  results(): readonly ActResult[];
}

export interface Scene {
  says(who: Who, text: string): void;
  /** Shows the claim with what became of it. `seen` is shown, and kept, only when it does not hold. */
  check(claim: string, holds: boolean, seen?: unknown): void;
}

/** `write` takes whole lines; `colour` whether they may carry terminal colours. */
export function createStage(write: (line: string) => void, colour: boolean): Stage {
  const paint = (code: number, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const results: ActResult[] = [];

  function sceneOf(checks: CheckResult[]): Scene {
    return {
      says(who, text) {
        const [first = '', ...rest] = text.trimEnd().split('\n');
        write(`   ${paint(COLOURS[who], who.padEnd(9))} ${first}`);
        for (const line of rest) write(`   ${' '.repeat(9)} ${line}`);
      },
      check(claim, ok, seen) {
        const instead = ok ? {} : { seen: typeof seen === 'string' ? seen : JSON.stringify(seen) };
        checks.push({ claim, ok, ...instead });
        write(
          ok
            ? `   ${paint(32, '✓')} ${claim}`
            : `   ${paint(31, '✗')} ${claim}; seen: ${instead.seen ?? 'nothing'}`,
        );
      },
    };
  }

  return {
    async act(title, play) {
      const checks: CheckResult[] = [];
      const started = performance.now();
      let trouble: string | null = null;
      write(`\n${paint(1, `${results.length + 1}  ${title}`)}`);
      try {
        await play(sceneOf(checks));
      } catch (error) {
        trouble = error instanceof Error ? error.message : String(error);
        write(`   ${paint(31, '✗')} ${trouble}`);
      }
      const ok = trouble === null && checks.length > 0 && checks.every((check) => check.ok);
      const seconds = Math.round(performance.now() - started) / 1000;
      results.push({ title, ok, seconds, checks, trouble });
    },
    results: () => results,
  };
}

const COLOURS: Readonly<Record<Who, number>> = { agent: 36, owner: 33, reviewer: 35, auditor: 34 };
