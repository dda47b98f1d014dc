import { describe, expect, it } from "vitest";
import { AppError, type ErrorCode } from "../../../src/errors.js";
import { databaseError, isLost, isTransient } from "../../../src/index/postgres/database-error.js";

const failure = (code: string, message = "") => Object.assign(new Error(message), { code });

describe("databaseError", () => {
  it.each<[string, ErrorCode]>([
    ["53100", "storage_full"],
    ["XX001", "storage_corrupt"],
    ["XX002", "storage_corrupt"],
    ["57P01", "storage_unavailable"], // the server goes down
    ["57P03", "storage_unavailable"], // it starts
    ["25006", "storage_unavailable"], // it became a standby
    ["53300", "storage_unavailable"], // no connection left
    ["57014", "storage_unavailable"], // a statement took too long
    ["08006", "storage_unavailable"],
    ["ECONNREFUSED", "storage_unavailable"],
    ["ECONNRESET", "storage_unavailable"],
    ["EAI_AGAIN", "storage_unavailable"],
    ["28P01", "storage_failed"],
    ["3D000", "storage_failed"],
    ["42501", "storage_failed"],
    ["SELF_SIGNED_CERT_IN_CHAIN", "storage_failed"],
    ["22P02", "storage_failed"],
  ])("makes of %s %s", (code, expected) => {
    const error = databaseError(failure(code));
    expect(error.code).toBe(expected);
    expect(error.retryAfterSeconds === undefined).toBe(expected !== "storage_unavailable");
  });

  it("tells what a pooler refuses, and whether to ask it again", () => {
    const full = databaseError(failure("08P01", "no more connections allowed"));
    expect(full).toMatchObject({ code: "storage_unavailable", retryAfterSeconds: 2 });
    expect(full.message).toContain("it refused the connection: no more connections allowed");
    expect(databaseError(failure("08P01", "SSL required"))).toMatchObject({
      code: "storage_failed",
      message: expect.stringContaining("the sslmode in the store's address"),
    });
  });

  it("leaves our own errors, and shows nothing of a statement", () => {
    const own = new AppError("not_found", "no");
    expect(databaseError(own)).toBe(own);
    const secret = failure("22P02", "invalid input: s3cret");
    expect(databaseError(secret).message).not.toContain("s3cret");
  });

  it("knows what pg says without a code when a connection is gone", () => {
    for (const message of [
      "Connection terminated unexpectedly",
      "timeout exceeded when trying to connect",
      "timeout expired",
      "Client has encountered a connection error and is not queryable",
    ]) {
      expect(isLost(new Error(message))).toBe(true);
      expect(databaseError(new Error(message)).code).toBe("storage_unavailable");
    }
    expect(isLost(failure("23505"))).toBe(false);
    expect(isTransient(failure("40P01"))).toBe(true);
    expect(isTransient(failure("57P01"))).toBe(false);
  });
});
