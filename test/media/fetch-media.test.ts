import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { isPublicAddress, mediaFetcher } from "../../src/media/fetch-media.js";

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
    ["IPv4 loopback in the old IPv6 notation", "http://[::127.0.0.1]/a.jpg", {}],
    ["loopback as one number", "http://2130706433/a.jpg", {}],
    ["a name that resolves to loopback", "http://localhost/a.jpg", {}],
  ])("refuses %s", async (_, url, changes) => {
    await expect(mediaFetcher({ ...options, ...changes })(url, signal)).rejects.toMatchObject({
      code: "url_refused",
    });
  });

  it("fetches from private addresses that are listed, alone or in a range, also by name", async () => {
    const host = await serve((_, response) => response.end("the bytes"));
    const port = host.split(":")[1];
    for (const [hosts, url] of [
      [["127.0.0.1"], `http://${host}/a.jpg`],
      [[host], `http://${host}/a.jpg`],
      [["127.0.0.0/8"], `http://${host}/a.jpg`],
      [["localhost", "127.0.0.1", "::1"], `http://localhost:${port}/a.jpg`],
    ] as const)
      expect(await mediaFetcher({ ...options, hosts })(url, signal)).toHaveLength(9);
    for (const [hosts, url] of [
      [["127.0.0.2"], `http://${host}/a.jpg`],
      [["127.0.0.1:1"], `http://${host}/a.jpg`],
      [["localhost", "10.0.0.0/8"], `http://localhost:${port}/a.jpg`],
      [["127.0.0.1"], `http://localhost:${port}/a.jpg`],
      [["*", "127.0.0.2/32"], "http://[::ffff:127.0.0.1]/a.jpg"],
    ] as const)
      await expect(mediaFetcher({ ...options, hosts })(url, signal)).rejects.toMatchObject({
        code: "url_refused",
      });
  });

  it("checks every redirect again", async () => {
    const host = await serve((_, response) =>
      response.writeHead(302, { location: "http://10.0.0.1/secret" }).end(),
    );
    const fetcher = mediaFetcher({
      ...options,
      isAllowedAddress: (address) => address === "127.0.0.1",
    });
    await expect(fetcher(`http://${host}/`, signal)).rejects.toMatchObject({ code: "url_refused" });
  });

  it.each([
    ["to a file", "file:///etc/passwd"],
    ["to a host that is not listed", "http://example.org/"],
  ])("refuses a redirect %s", async (_, location) => {
    const host = await serve((_, response) => response.writeHead(302, { location }).end());
    const fetcher = mediaFetcher({
      ...options,
      hosts: [host],
      isAllowedAddress: (address) => address === "127.0.0.1",
    });
    await expect(fetcher(`http://${host}/`, signal)).rejects.toMatchObject({ code: "url_refused" });
  });

  it("stops at the size limit, and stops reading there", async () => {
    let sent = 0;
    let closed: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const host = await serve((_, response) => {
      const timer = setInterval(() => {
        response.write(Buffer.alloc(400));
        sent += 400;
      }, 5);
      response.on("close", () => {
        clearInterval(timer);
        closed();
      });
    });
    await expect(mediaFetcher(local)(`http://${host}/`, signal)).rejects.toMatchObject({
      code: "too_large",
    });
    await ended;
    expect(sent).toBeLessThan(1_000_000);
  });

  it("gives up on a server that sends a byte now and then for ever", async () => {
    const host = await serve((_, response) => {
      const timer = setInterval(() => response.write("."), 20);
      response.on("close", () => clearInterval(timer));
    });
    const start = performance.now();
    await expect(mediaFetcher(local)(`http://${host}/`, signal)).rejects.toMatchObject({
      code: "fetch_failed",
      message: expect.stringContaining("within 500 ms"),
    });
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it("ends with the client who asked", async () => {
    const host = await serve(() => undefined);
    const client = new AbortController();
    const fetching = mediaFetcher({ ...local, timeoutMs: 60_000 })(
      `http://${host}/`,
      client.signal,
    );
    client.abort(new Error("the client is gone"));
    await expect(fetching).rejects.toThrow("the client is gone");
  });

  it("judges the addresses that a name has when the connection is made", async () => {
    const host = await serve((_, response) => response.end("secret"));
    const asked: string[] = [];
    const isAllowedAddress = (address: string) => {
      asked.push(address);
      return false;
    };
    const url = `http://${host.replace("127.0.0.1", "localhost")}/`;
    await expect(mediaFetcher({ ...options, isAllowedAddress })(url, signal)).rejects.toMatchObject(
      {
        code: "url_refused",
      },
    );
    expect(asked.length).toBeGreaterThan(0);
  });

  it("gives up on a server that does not answer, on errors and on endless redirects", async () => {
    const host = await serve((request, response) => {
      if (request.url === "/404") response.writeHead(404).end();
      else if (request.url === "/loop") response.writeHead(302, { location: "/loop" }).end();
    });
    const fetcher = mediaFetcher(local);
    await expect(fetcher(`http://${host}/silent`, signal)).rejects.toMatchObject({
      code: "fetch_failed",
    });
    await expect(fetcher(`http://${host}/404`, signal)).rejects.toThrow("answered 404");
    await expect(fetcher(`http://${host}/loop`, signal)).rejects.toThrow("redirects more than");
    await expect(fetcher("http://[", signal)).rejects.toMatchObject({ code: "invalid_input" });
  });
});

describe("isPublicAddress", () => {
  it("is true for public unicast only", () => {
    expect(isPublicAddress("93.184.216.34")).toBe(true);
    expect(isPublicAddress("2606:4700::1111")).toBe(true);
    for (const address of [
      "10.1.2.3",
      "172.16.0.1",
      "100.64.0.1",
      "0.0.0.0",
      "224.0.0.1",
      "fe80::1",
      "fc00::1",
      "::7f00:1",
      "::ffff:10.0.0.1",
      "64:ff9b::7f00:1",
      "2002:7f00:1::",
      "198.18.0.1",
      "255.255.255.255",
      "not an address",
    ]) {
      expect(isPublicAddress(address), address).toBe(false);
    }
  });
});
