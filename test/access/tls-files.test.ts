import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { TlsFiles } from "../../src/access/tls-files.js";
import { createLog } from "../../src/log.js";
import { certificates } from "../helpers/certificates.js";

let files: { tlsCert: string; tlsKey: string };
const write = (cert: string, key: string) => {
  writeFileSync(files.tlsCert, cert);
  writeFileSync(files.tlsKey, key);
};
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), "crossmodal-tls-"));
  files = { tlsCert: join(folder, "cert.pem"), tlsKey: join(folder, "key.pem") };
  write(certificates[0].cert, certificates[0].key);
});

describe("certificates", () => {
  it("are not used where none is configured", async () => {
    expect(await TlsFiles.open({ tlsCert: "", tlsKey: "" })).toBeUndefined();
  });

  it("need their key, the right one, in PEM", async () => {
    const refusal = (change: Partial<typeof files>) =>
      TlsFiles.open({ ...files, ...change }).then(
        () => "opened",
        (error) => error.message,
      );
    expect(await refusal({ tlsKey: "" })).toContain("Expected tlsKey too");
    expect(await refusal({ tlsCert: "" })).toContain("Expected tlsCert too");
    expect(await refusal({ tlsKey: `${files.tlsKey}2` })).toContain("cannot be read (ENOENT)");
    write(certificates[0].cert, certificates[1].key);
    expect(await refusal({})).toContain("is not the key of the certificate");
    write("nonsense", certificates[0].key);
    expect(await refusal({})).toContain("are not a certificate and a key in PEM");
  });

  it("are handed on when they have changed, and only when they belong together", async () => {
    const tls = await TlsFiles.open(files);
    const seen: string[] = [];
    const stop = tls?.watch((pair) => seen.push(String(pair.cert)), createLog("silent"), 20);
    try {
      writeFileSync(files.tlsCert, certificates[1].cert);
      writeFileSync(files.tlsKey, certificates[1].key);
      await expect.poll(() => seen.at(-1)).toBe(certificates[1].cert);
      expect(seen.every((cert) => cert === certificates[1].cert)).toBe(true);
    } finally {
      stop?.();
    }
  });
});
