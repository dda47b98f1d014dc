import { afterAll, beforeAll } from "vitest";
import { type Browser, hasBrowser, openBrowser } from "./browser.js";
import { type ServedProcess, serve, untilReady } from "./serve.js";

/** A server and a browser for the tests of one file, where there is a browser. */
export function servedPage(testFile: string, args: readonly string[] = []) {
  const found = hasBrowser(testFile);
  let server: ServedProcess | undefined;
  let browser: Browser | undefined;
  beforeAll(async () => {
    if (!found) return;
    [server, browser] = await Promise.all([serve(args), openBrowser()]);
    await untilReady(server);
  });
  afterAll(async () => {
    await browser?.close();
    server?.child.kill();
    await server?.ended;
  });
  return {
    found,
    get url(): string {
      return server!.url;
    },
    get dataDir(): string {
      return server!.dataDir;
    },
    get browser(): Browser {
      return browser!;
    },
  };
}
