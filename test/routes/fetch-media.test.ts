import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { isPublicAddress, mediaFetcher } from "../../src/routes/fetch-media.js";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function serve(listener: RequestListener): Promise<string> {
  const listening = createServer(listener);
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  return `127.0.0.1:${(listening.address() as AddressInfo).port}`;
}

const signal = new AbortController().signal;
const options = { hosts: ["*"], maxBytes: 1000, timeoutMs: 500 };
const local = { ...options, isAllowedAddress: () => true };

describe("mediaFetcher", () => {
  it("fetches from a host that is allowed, through a redirect", async () => {
    const host = await serve((request, response) => {
      if (request.url === "/old") response.writeHead(302, { location: "/new" }).end();
      else response.end("the bytes");
    });
    const bytes = await mediaFetcher({ ...local, hosts: [host] })(`http://${host}/old`, signal);
    expect(Buffer.from(bytes).toString()).toBe("the bytes");
  });

  it.each([
    ["a host that is not listed", "http://example.org/a.jpg", { hosts: ["example.com"] }],
    ["every host when none is listed", "http://example.org/a.jpg", { hosts: [] }],
    ["another protocol", "file:///etc/passwd", {}],
    ["a loopback address", "http://127.0.0.1/a.jpg", {}],
    ["a private address", "http://192.168.1.1/a.jpg", {}],
    ["the address of cloud metadata", "http://169.254.169.254/latest", {}],
    ["loopback as IPv6", "http://[::1]/a.jpg", {}],
    ["IPv4 loopback mapped into IPv6", "http://[::ffff:127.0.0.1]/a.jpg", {}],
    ["loopback as one number", "http://2130706433/a.jpg", {}],
    ["a name that resolves to loopback", "http://localhost/a.jpg", {}],
  ])("refuses %s", async (_, url, changes) => {
    await expect(mediaFetcher({ ...options, ...changes })(url, signal)).rejects.toMatchObject({ code: "url_refused" });
  });

  it("checks every redirect again", async () => {
    const host = await serve((_, response) => response.writeHead(302, { location: "http://10.0.0.1/secret" }).end());
    const fetcher = mediaFetcher({ ...options, isAllowedAddress: (address) => address === "127.0.0.1" });
    await expect(fetcher(`http://${host}/`, signal)).rejects.toMatchObject({ code: "url_refused" });
  });

  it("stops at the size limit", async () => {
    const host = await serve((_, response) => response.end(Buffer.alloc(5000)));
    await expect(mediaFetcher(local)(`http://${host}/`, signal)).rejects.toMatchObject({ code: "too_large" });
  });

  it("gives up on a server that does not answer, on errors and on endless redirects", async () => {
    const host = await serve((request, response) => {
      if (request.url === "/404") response.writeHead(404).end();
      else if (request.url === "/loop") response.writeHead(302, { location: "/loop" }).end();
    });
    const fetcher = mediaFetcher(local);
    await expect(fetcher(`http://${host}/silent`, signal)).rejects.toMatchObject({ code: "fetch_failed" });
    await expect(fetcher(`http://${host}/404`, signal)).rejects.toThrow("answered 404");
    await expect(fetcher(`http://${host}/loop`, signal)).rejects.toThrow("redirects more than");
    await expect(fetcher("http://[", signal)).rejects.toMatchObject({ code: "invalid_input" });
  });
});

describe("isPublicAddress", () => {
  it("is true for public unicast only", () => {
    expect(isPublicAddress("93.184.216.34")).toBe(true);
    for (const address of [
      "10.1.2.3",
      "172.16.0.1",
      "100.64.0.1",
      "0.0.0.0",
      "224.0.0.1",
      "fe80::1",
      "fc00::1",
      "not an address",
    ]) {
      expect(isPublicAddress(address), address).toBe(false);
    }
  });
});
