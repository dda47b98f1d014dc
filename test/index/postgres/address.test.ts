import { describe, expect, it } from "vitest";
import { parseAddress } from "../../../src/index/postgres/address.js";

describe("parseAddress", () => {
  it("takes several hosts, ports, IPv6 and what is escaped", () => {
    expect(parseAddress("postgres://me:p%40ss@a,b:5433,[::1]:5434/my%20db")).toEqual({
      hosts: [
        { host: "a", port: 5432 },
        { host: "b", port: 5433 },
        { host: "::1", port: 5434 },
      ],
      user: "me",
      password: "p@ss",
      database: "my db",
    });
    expect(parseAddress("postgresql://db")).toEqual({ hosts: [{ host: "db", port: 5432 }] });
  });

  it("checks certificates as sslmode says", () => {
    const ssl = (mode: string) => parseAddress(`postgres://db/x?sslmode=${mode}`).ssl;
    expect(ssl("disable")).toBeUndefined();
    expect(ssl("require")).toMatchObject({ rejectUnauthorized: false });
    expect(ssl("verify-full")).toMatchObject({ rejectUnauthorized: true });
    expect(ssl("verify-full")?.checkServerIdentity).toBeUndefined();
    expect(ssl("verify-ca")?.checkServerIdentity).toBeTypeOf("function");
  });

  it.each([
    "postgres://",
    "postgres://a:port/x",
    "postgres://a:70000/x",
    "postgres://a,,b/x",
    "postgres://a/x?sslmode=prefer",
    "postgres://a/x?sslmod=require",
    "postgres://a/%ff",
    "mysql://a/x",
  ])("refuses %s", (url) => {
    expect(() => parseAddress(url)).toThrow(
      expect.objectContaining({ code: "invalid_input", param: "store" }),
    );
  });
});
