/**
 * Owns every bound, by name, with its unit and its reason. Each has a test at its edge.
 * Must never hold anything that is configuration: what an operator may turn lives in config/.
 */

const KIB = 1024;
const MIB = 1024 * KIB;

export const LIMITS = {
  /** Octets of a PostgreSQL startup packet; the server's own MAX_STARTUP_PACKET_LENGTH. */
  pgStartupPacket: 10_000,
  /** Octets of one Query or Parse message: what the parser is asked to read. */
  pgStatementMessage: MIB + 64 * KIB,
  /** Octets of one Bind message: its parameters are kept while it waits. */
  pgBindMessage: 64 * MIB,
  /** Octets of one Describe, Execute, Close, Flush, Sync, Terminate or CopyDone message. */
  pgSmallMessage: 16 * KIB,
  /** Octets of one authentication message (password, SASL). */
  pgAuthMessage: 64 * KIB,
  /** Octets of one CopyData message from the agent. The server's own bound is 1 GiB. */
  pgCopyData: 64 * MIB,
  /** Octets kept of one Sync-delimited batch before it is decided. */
  pgBatchBytes: 128 * MIB,
  /** Messages kept of one Sync-delimited batch before it is decided. */
  pgBatchMessages: 10_000,
  /** Named prepared statements, and portals, tracked in one session. */
  pgPreparedStatements: 10_000,
  /** Sessions at once on one PostgreSQL listener. */
  pgSessions: 1_000,
  /** Octets of SQL text that are parsed. */
  sqlText: MIB,
  /** Depth of nested comments; PostgreSQL's own lexer is quadratic in it. */
  sqlCommentDepth: 64,
  /** Milliseconds the parser's thread may take to start before another is started instead. */
  sqlParserStart: 10_000,
  /** Statements in one text. */
  sqlStatements: 2_000,
  /** Milliseconds one parse may take before its worker is replaced. */
  sqlParseDeadline: 1_000,
  /** Parsed statements kept by exact text. */
  sqlCacheEntries: 2_000,
  /** Octets of one statement's text that is worth keeping in that cache. */
  sqlCacheText: 64 * KIB,
  /** Octets of one HTTP header section. */
  httpHeaderSection: 64 * KIB,
  /** Header fields in one request. */
  httpHeaderFields: 200,
  /** Octets of a request target. */
  httpTarget: 32 * KIB,
  /** Octets of a held request's body, spooled to disk past `inspect.max_body`. */
  httpHeldBody: 256 * MIB,
  /** Sockets at once on the HTTP listener. */
  httpConnections: 2_000,
  /** Milliseconds a request's header section may take to arrive. */
  httpHeaderTimeout: 20_000,
  /** TLS contexts of minted leaf certificates kept. */
  tlsContexts: 1_000,
  /** Milliseconds to connect and finish TLS with an upstream. */
  upstreamConnect: 10_000,
  /** Octets of the policy input document. */
  policyInput: 4 * MIB,
  /** Milliseconds one policy evaluation may take before its worker is replaced. */
  policyDeadline: 1_000,
  /** Decisions kept by exact input. */
  policyCacheEntries: 5_000,
  /** 64 KiB pages of WebAssembly memory that one policy instance may use (256 MiB). */
  policyMemoryPages: 4_096,
  /** Octets of a request body to the control API. */
  controlBody: 64 * KIB,
  /** Characters of a reviewer's reason. */
  reviewerReason: 1_000,
  /** Tickets in one page of the control API's list. */
  controlPage: 200,
  /** Characters of the action's text that a card shows; more is cut, and said to be cut. */
  cardText: 2_600,
  /** Characters of a statement or call kept in the audit log under `redacted` and `full` capture. */
  auditCapture: 16 * KIB,
  /** Milliseconds that open requests have to finish once a stop was asked for. */
  drain: 10_000,
  /** Milliseconds for the embedded PostgreSQL to get ready: recovery after a crash may take a while. */
  embeddedReady: 60_000,
  /** Milliseconds for each way of stopping the embedded PostgreSQL, before the next, harder one. */
  embeddedStop: 10_000,
  /** Milliseconds that an embedded PostgreSQL whose owner was killed may take to stop, before a new one gives up. */
  embeddedPredecessor: 10_000,
} as const;

export type LimitName = keyof typeof LIMITS;
