/**
 * Owns what a policy that cannot be put in force is told about. Nothing decides until it is mended. Must never stand
 * in for a decision.
 */

/** Each problem is a sentence for whoever wrote the bundle or its data. */
export class PolicyLoadError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[], options?: { cause?: unknown }) {
    super(problems.join('\n'), options);
    this.name = 'PolicyLoadError';
    this.problems = problems;
  }
}
