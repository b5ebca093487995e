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
  /** Octets of a server message that is read whole (status, completion, error). A longer error goes by unread. */
  pgServerMessage: MIB,
  /** Characters of one parameter's value in the facts, and of all of them together; the digest covers them whole. */
  pgParameterText: 64 * KIB,
  pgParametersText: MIB,
  /** Octets kept of one Sync-delimited batch before it is decided. */
  pgBatchBytes: 128 * MIB,
  /** Messages kept of one Sync-delimited batch before it is decided. */
  pgBatchMessages: 10_000,
  /** Named prepared statements, and portals, tracked in one session. */
  pgPreparedStatements: 10_000,
  /** Milliseconds from connecting to the first ReadyForQuery; the server's own authentication_timeout. */
  pgOpening: 60_000,
  /** Milliseconds that a session's sockets have to close once it has ended. */
  pgLinger: 5_000,
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
  /** Nested arrays and objects in a JSON body that is read; deeper is unknown. */
  jsonDepth: 200,
  /** Parts of a multipart body that is read; more is unknown. */
  multipartParts: 200,
  /** Milliseconds that a refused client may go on sending before its connection ends under it. */
  httpLinger: 2_000,
  /** Milliseconds without an octet of a body that is being collected. */
  httpBodyIdle: 60_000,
  /** Requests at once on one HTTP/1.1 client connection (pipelining). */
  httpPipelined: 32,
  /** Milliseconds an idle client connection is kept. */
  httpKeepAlive: 60_000,
  /** Milliseconds a tunnel's client may take to finish its TLS handshake. */
  httpTlsHandshake: 10_000,
  /** Sockets at once on the HTTP listener. */
  httpConnections: 2_000,
  /** Milliseconds a request's header section may take to arrive. */
  httpHeaderTimeout: 20_000,
  /** TLS contexts of minted leaf certificates kept. */
  tlsContexts: 1_000,
  /** Host names whose addresses are remembered. */
  resolvedNames: 1_000,
  /** Milliseconds that the addresses of a name are remembered. */
  resolvedFor: 5_000,
  /** Milliseconds one look-up of a name may take. */
  resolveDeadline: 10_000,
  /** Upstream origins with a pool of connections; the least recently used goes first. */
  upstreamPools: 256,
  /** Milliseconds to connect and finish TLS with an upstream. */
  upstreamConnect: 10_000,
  /** Octets of the policy input document. */
  policyInput: 4 * MIB,
  /** Milliseconds one policy evaluation may take before its worker is replaced. */
  policyDeadline: 1_000,
  /** Decisions kept by exact input. */
  policyCacheEntries: 5_000,
  /** Characters of a key that is worth keeping in that cache. */
  policyCacheKey: 16 * KIB,
  /** Inputs handed to the policy's thread at once. */
  policyBatch: 64,
  /** Characters of one reason, or of the message, of a decision. */
  policyText: 256 * KIB,
  /** Octets of a policy bundle, packed and unpacked. */
  policyBundle: 64 * MIB,
  /** 64 KiB pages of WebAssembly memory that one policy instance may use (256 MiB). */
  policyMemoryPages: 4_096,
  /** Octets of a request body to the control API. */
  controlBody: 64 * KIB,
  /** Octets of one header section to the control API. */
  controlHeaderSection: 16 * KIB,
  /** Milliseconds one whole request to the control API may take to arrive. */
  controlRequest: 30_000,
  /** Milliseconds that an idle connection to the control API is kept. */
  controlKeepAlive: 5_000,
  /** Sockets at once on the control address. */
  controlConnections: 256,
  /** Characters that a bearer token has at least. */
  tokenLength: 20,
  /** Characters of a reviewer's reason. */
  reviewerReason: 1_000,
  /** Tickets in one page of the control API's list. */
  controlPage: 200,
  /** Milliseconds to wait for a predecessor to let go of the approval store. */
  storeBusy: 2_000,
  /** Seconds after which an agent with too many pending tickets is told to try again. */
  capacityRetryAfter: 30,
  /** Milliseconds until a ticket that could not be closed (log or store failing) is tried again. */
  deskRetry: 5_000,
  /** Milliseconds that a ticket is kept after it ended (30 days); the audit log keeps what happened. */
  closedTickets: 30 * 86_400_000,
  /** Milliseconds of the desk's longest single timer; a later expiry is reached in several. */
  deskTimerSpan: 86_400_000,
  /** Characters of the action's text that a card shows; more is cut, and said to be cut. */
  cardText: 2_600,
  /** Characters of one value on a card: a name, a field, a reason. Slack takes some 11,000 on a whole card. */
  cardValue: 200,
  /** Fields of the action that a card shows; how many more there are is said. */
  cardFields: 12,
  /** Reasons that a card shows; how many more there are is said. */
  cardReasons: 6,
  /** Answers that a card shows; how many more there are is said. */
  cardAnswers: 5,
  /** Milliseconds that one call of Slack's Web API may take. */
  slackCall: 10_000,
  /** Milliseconds that a Socket Mode connection may take to say hello. */
  slackHello: 15_000,
  /** Milliseconds before the first and the last of a row of attempts to reach Slack; each waits twice as long. */
  slackRetryFirst: 500,
  slackRetryLast: 60_000,
  /** Octets of one signed request from Slack: it carries the whole card that was clicked. */
  slackRequest: MIB,
  /** Milliseconds that what Slack said about an account is believed. */
  slackAccountAge: 300_000,
  /** Accounts whose state is kept that long. */
  slackAccounts: 1_000,
  /** Milliseconds that cards not yet posted have to get out once a stop was asked for. */
  slackFlush: 2_000,
  /** Closed tickets whose cards are checked after a restart, newest first. */
  slackRecovery: 1_000,
  /** Characters of a statement or call kept in the audit log under `redacted` and `full` capture. */
  auditCapture: 16 * KIB,
  /** Octets of one audit record; larger ones are cut, and say so. A verifier refuses to read longer lines. */
  auditRecord: 256 * KIB,
  /** Milliseconds that open requests have to finish once a stop was asked for. */
  drain: 10_000,
  /** Milliseconds in which another signal is taken for the same wish: Ctrl-C reaches the program from the terminal and from npm. */
  signalEcho: 1_000,
  /** Milliseconds for the embedded PostgreSQL to get ready: recovery after a crash may take a while. */
  embeddedReady: 60_000,
  /** Milliseconds for each way of stopping the embedded PostgreSQL, before the next, harder one. */
  embeddedStop: 10_000,
  /** Milliseconds that an embedded PostgreSQL whose owner was killed may take to stop, before a new one gives up. */
  embeddedPredecessor: 10_000,
} as const;
