import { AppError } from "../../errors.js";

/** Seconds after which a client may try again: a standby takes over within a few. */
const retryAfterSeconds = 2;

/** SQLSTATEs of a database that is away, is shutting down or cannot be used at the moment. */
const awayStates =
  /^(08...|57P0[1-5]|25006|25P0[34]|53200|53300|53400|55000|57014|55P03|40001|40P01)$/;
/** SQLSTATEs of a lost connection. */
const lostStates = /^(08...|57P0[1-5]|25P0[34])$/;
/** With which PgBouncer refuses a client, for whatever reason. */
const poolerState = "08P01";
const lostCodes = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ENOENT",
]);

/** Messages of `pg` without a code. */
const lostMessages = /^(Connection terminated|Client has encountered|Client was closed|timeout ex)/;

const codeOf = (error: unknown): string | undefined => (error as { code?: string }).code;

/** Whether the connection that an error came from can no longer be used. */
export function isLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  if (code !== undefined && (lostStates.test(code) || lostCodes.has(code))) return true;
  return lostMessages.test(error.message);
}

/**
 * Whether a transaction can simply be repeated: it collided with another one (a deadlock, a
 * serialization failure) or with the replacement of a collection.
 */
export const isTransient = (error: unknown): boolean =>
  ["40P01", "40001", "42P01"].includes(codeOf(error) ?? "");

/** A failure of the database as an AppError; an AppError stays as it is. */
export function databaseError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const code = codeOf(error) ?? "";
  if (code === "53100")
    return new AppError("storage_full", "The database's disk is full", { cause: error });
  if (code === "XX001" || code === "XX002")
    return new AppError("storage_corrupt", "The database reports damaged data", { cause: error });
  const isRefusal = code === poolerState && (error as Error).message.includes("SSL");
  if (!isRefusal && (isLost(error) || awayStates.test(code)))
    return unavailable(reasonOf(error, code), error);
  return new AppError("storage_failed", refusalOf(error as Error, code), { cause: error });
}

/** Why the database cannot be used as it is set up, in words for the person who set it up. */
function refusalOf(error: Error & { reason?: string }, code: string): string {
  const { message, reason: tlsReason } = error;
  if (/^28/.test(code) || message.startsWith("SASL:")) {
    const places = "the address of store, storePasswordFile, PGPASSWORD or PGPASSFILE";
    const reason = code === "" ? "it asks for a password, and none is set" : message;
    return `The database refused the login: ${reason} (the password may be in ${places})`;
  }
  if (code === "3D000") return `The database does not exist; create it (${message})`;
  if (code === "42501") return `The database user lacks a privilege: ${message}`;
  if (/SSL|CERT|TLS|VERIFY|INVALID_CA/.test(code) || message.includes("SSL")) {
    const reason = tlsReason ?? message; // the message of OpenSSL has its places in it
    return `The server's TLS does not match the sslmode in the store's address: ${reason}`;
  }
  return "The database refused a statement; see the server log";
}

/** The database is away: 503 with Retry-After. */
export function unavailable(reason: string, cause?: unknown): AppError {
  const message = `The database cannot be used at the moment: ${reason}`;
  return new AppError("storage_unavailable", message, { cause, retryAfterSeconds });
}

function reasonOf(error: unknown, code: string): string {
  if (code === poolerState) return `it refused the connection: ${(error as Error).message}`;
  if (code === "25006") return "it is a standby and takes no writes";
  if (code === "57014") return "a statement took too long";
  if (code === "55P03") return "a lock could not be obtained in time";
  if (code === "53300") return "it has no connection left";
  if (code === "57P03") return "it is starting up or shutting down";
  if (code === "ECONNREFUSED") return "nothing listens at its address";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "its host name cannot be resolved";
  if ((error as Error).message?.startsWith("timeout ex"))
    return "no connection could be made, or became free, in time";
  if (isLost(error)) return "the connection was lost";
  return "it is busy";
}
