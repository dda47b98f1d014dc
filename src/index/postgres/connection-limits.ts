export interface ConnectionLimits {
  /** Connections that are open at once. */
  maxConnections: number;
  /** For a connection to be made, or to answer: a paused database never does. */
  connectTimeoutMs: number;
  /** For one to become free while all are busy. */
  queueTimeoutMs: number;
  /** For a whole transaction; the database's own limit for one statement is the same. */
  transactionTimeoutMs: number;
  /** For a commit, which may wait for a standby without a limit of the database. */
  commitTimeoutMs: number;
  /** Whether `readAnywhere` may use the hosts that are standbys. */
  readsOnStandbys: boolean;
}
