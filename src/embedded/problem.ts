/** Owns what can keep the embedded PostgreSQL from starting: a code and one line for the operator. Never a secret. */

export type EmbeddedProblemCode =
  /** The platform package is not installed, or this platform has none. */
  | 'no_binaries'
  /** The listen address is not on the loopback interface. */
  | 'not_loopback'
  /** Somebody else listens on that port. */
  | 'port_in_use'
  /** Another running server serves that data directory. */
  | 'data_dir_in_use'
  /** The data directory could not be created, or the sample data could not be loaded. */
  | 'init_failed'
  /** The server ended, or did not get ready. */
  | 'start_failed';

export class EmbeddedProblem extends Error {
  readonly code: EmbeddedProblemCode;
  constructor(code: EmbeddedProblemCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'EmbeddedProblem';
    this.code = code;
  }
}
