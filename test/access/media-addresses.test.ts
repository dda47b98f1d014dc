import { getPath } from "hono/utils/url";
import { describe, expect, it, vi } from "vitest";
import { MediaAddresses } from "../../src/access/media-addresses.js";

const start = Date.parse("2026-11-27T16:03:00Z");
const item = { id: "a/b c%.jpg", media: {} };
const plain = "/v1/collections/my%20photos/items/a%2Fb%20c%25.jpg/media";

function keyed() {
  let now = start;
  const addresses = new MediaAddresses({ needsKey: true }, { now: () => now });
  const accepts = (address: string, method = "GET") => {
    const path = getPath(new Request(`http://localhost${address}`));
    const { searchParams } = new URL(address, "http://localhost");
    return addresses.accepts(method, path, Object.fromEntries(searchParams));
  };
  return {
    addresses,
    accepts,
    wait: (minutes: number) => {
      now += minutes * 60_000;
    },
  };
}

describe("MediaAddresses", () => {
  it("is the bare path where no key is needed, and nothing without media", () => {
    const addresses = new MediaAddresses({ needsKey: false });
    expect(addresses.of("my photos", item)).toBe(plain);
    expect(addresses.of("my photos", { id: "a" })).toBeUndefined();
  });

  it("accepts an address that it has given for an hour, and then no more", () => {
    const { addresses, accepts, wait } = keyed();
    const address = addresses.of("my photos", item)!;
    expect(address.startsWith(`${plain}?expires=`)).toBe(true);
    expect(accepts(address)).toBe(true);
    expect(accepts(address, "HEAD")).toBe(true);
    wait(59);
    expect(accepts(address)).toBe(true);
    wait(12);
    expect(() => accepts(address)).toThrow(expect.objectContaining({ code: "unauthorized" }));
  });

  it("gives the same address again for some minutes, so that a cache can answer", () => {
    const { addresses, wait } = keyed();
    const address = addresses.of("c", item);
    wait(5);
    expect(addresses.of("c", item)).toBe(address);
    wait(10);
    expect(addresses.of("c", item)).not.toBe(address);
  });

  it("refuses another item, collection, time, signature and process", () => {
    const { addresses, accepts } = keyed();
    const address = addresses.of("photos", { id: "a", media: {} })!;
    const later = Number(/expires=(\d+)/.exec(address)![1]) + 3600;
    const forged = [
      address.replace("items/a/", "items/b/"),
      address.replace("photos", "secrets"),
      address.replace(/expires=\d+/, `expires=${later}`),
      address.replace(/expires=\d+&/, ""),
      address.replace(/signature=.*/, "signature="),
      address.replace("items/a/", "items/%ff/"),
      keyed().addresses.of("photos", { id: "a", media: {} })!,
    ];
    for (const other of forged) expect(() => accepts(other), other).toThrow(/expired/);
  });

  it("reads a path as the routes do, not as browsers mend it", () => {
    const { addresses } = keyed();
    const address = new URL(addresses.of("photos", { id: "a", media: {} })!, "http://localhost");
    const query = Object.fromEntries(address.searchParams);
    expect(addresses.accepts("GET", address.pathname, query)).toBe(true);
    for (const path of [`/v1/backup/../..${address.pathname}`, `/${address.pathname}`])
      expect(addresses.accepts("GET", path, query)).toBe(false);
  });

  it("ends its addresses after the time that has passed, whatever the clock is set to", () => {
    const addresses = new MediaAddresses({ needsKey: true });
    const { pathname, searchParams } = new URL(addresses.of("c", item)!, "http://localhost");
    const accepts = () =>
      addresses.accepts("GET", getPath(new Request(`http://localhost${pathname}`)), {
        ...Object.fromEntries(searchParams),
      });
    for (const years of [-10, 10]) {
      const clock = vi.spyOn(Date, "now").mockReturnValue(start + years * 3.2e10);
      expect(accepts()).toBe(true);
      clock.mockRestore();
    }
  });

  it("opens nothing but the media", () => {
    const { addresses, accepts } = keyed();
    const address = addresses.of("photos", { id: "a", media: {} })!;
    expect(accepts(address, "DELETE")).toBe(false);
    expect(accepts(address.replace("/media", ""))).toBe(false);
    expect(accepts(address.replace("/media", "/preview"))).toBe(false);
    expect(accepts("/v1/collections/photos/items/a/media")).toBe(false);
    const archive = addresses.ofArchive("photos", "a");
    expect(accepts(archive)).toBe(true);
    expect(accepts(archive, "POST")).toBe(false);
    const query = archive.slice(archive.indexOf("?"));
    expect(() => accepts(`/v1/collections/photos/items/a/media${query}`)).toThrow("expired");
  });
});
