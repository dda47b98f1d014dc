import { beforeEach, describe, expect, it } from "vitest";
import { RecentClients, type SeenRequest } from "../../src/access/recent-clients.js";

const minute = 60_000;
let now: number;
let clients: RecentClients;
beforeEach(() => {
  now = Date.UTC(2026, 0, 1);
  clients = new RecentClients(() => now);
});

const note = (request: Partial<SeenRequest> = {}) =>
  clients.note({
    address: "192.0.2.1",
    isAdmitted: true,
    program: "curl 8.5.0",
    api: "native",
    status: 200,
    ...request,
  });
const addresses = () => clients.list().map(({ address }) => address);

describe("RecentClients", () => {
  it("counts requests and refusals of a program, and what it speaks", () => {
    note();
    note({ api: "openai" });
    note({ status: 404 });
    note({ status: 499 }); // the client had gone
    expect(clients.list()).toEqual([
      {
        key: undefined,
        address: "192.0.2.1",
        program: "curl 8.5.0",
        apis: ["native", "openai"],
        requests: 4,
        errors: 1,
        lastSeenAt: new Date(now),
      },
    ]);
  });

  it("forgets counts after five minutes and keeps the client", () => {
    note();
    now += 4 * minute;
    note();
    const requests = () => clients.list()[0].requests;
    expect(requests()).toBe(2);
    now += minute;
    expect(requests()).toBe(1);
    now += 60 * minute;
    expect(requests()).toBe(0);
  });

  it("counts on after the clock was set back", () => {
    note();
    now -= 60 * minute;
    note();
    expect(clients.list()[0].requests).toBe(1);
  });

  it("tells a key from an address, and follows it from one address to another", () => {
    const key = { id: "abcd2345", name: "photos" };
    note({ key });
    note();
    note({ key, address: "192.0.2.2" });
    expect(clients.list()).toMatchObject([
      { key, address: "192.0.2.2", requests: 2 },
      { key: undefined, address: "192.0.2.1", requests: 1 },
    ]);
  });

  it("is bounded: those seen longest ago go first", () => {
    for (let i = 0; i < 150; i++) note({ address: `address ${i}` });
    note({ address: "address 50" });
    note({ address: "new" });
    expect(addresses().length).toBe(100);
    expect(addresses().slice(0, 2)).toEqual(["new", "address 50"]);
    expect(addresses()).not.toContain("address 51");
    expect(addresses()).toContain("address 52");
  });

  it("lets those without a right key push out nobody who has one", () => {
    for (let i = 0; i < 99; i++) note({ address: `guest ${i}` });
    for (let i = 0; i < 500; i++)
      note({ address: `stranger ${i}`, isAdmitted: false, status: 401 });
    expect(addresses().length).toBe(100);
    expect(addresses()[0]).toBe("stranger 499");
    note({ address: "guest 99" });
    expect(addresses().filter((address) => address.startsWith("guest")).length).toBe(100);
    note({ address: "another", isAdmitted: false, status: 401 });
    expect(addresses()).not.toContain("another");
  });

  it("keeps five programs of one sender, which may name itself anew each time", () => {
    note({ address: "other" });
    for (let i = 0; i < 200; i++) note({ program: `name ${i}` });
    expect(clients.list().map(({ program }) => program)).toEqual([
      "name 199",
      "name 198",
      "name 197",
      "name 196",
      "name 195",
      "curl 8.5.0",
    ]);
  });
});
