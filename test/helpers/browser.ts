import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { type BrowserContext, chromium, type Locator, type Page } from "playwright-core";

const executablePath = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";

/** Whether there is a browser; says so where there is none. */
export function hasBrowser(testFile: string): boolean {
  const found = existsSync(executablePath);
  if (!found) {
    console.warn(`${testFile} is left out: no browser at ${executablePath} (set CHROMIUM_PATH)`);
  }
  return found;
}

export interface OpenPage {
  page: Page;
  /** Addresses of everything that was asked for. */
  requests: string[];
  /** What the console said, and errors that nobody caught. */
  logged: string[];
}

export interface Browser {
  context: BrowserContext;
  open(url: string): Promise<OpenPage>;
  close(): Promise<void>;
}

/** Chromium without a window, with a microphone that beeps. */
export async function openBrowser(viewport = { width: 1440, height: 900 }): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), "crossmodal-chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
    ],
    viewport,
    permissions: ["clipboard-read", "clipboard-write", "microphone"],
  });
  // Parts are slow to come on a machine that is busy with others.
  context.setDefaultTimeout(60_000);
  return {
    context,
    open: async (url) => {
      const page = await context.newPage();
      const requests: string[] = [];
      const logged: string[] = [];
      page.on("request", (request) => requests.push(request.url()));
      page.on("console", (message) => logged.push(message.text()));
      page.on("pageerror", (error) => logged.push(error.message));
      await page.goto(url);
      return { page, requests, logged };
    },
    close: async () => {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

/** What axe finds serious or critical, one line each. */
export async function seriousFindings(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
}

/** Whether nothing is wider than the window. */
export const fitsWidth = (page: Page) =>
  page.evaluate<boolean>("document.documentElement.scrollWidth <= window.innerWidth");

/** A press of the mouse that is short however busy the machine is. */
export async function tap(button: Locator): Promise<void> {
  await button.hover();
  await button.evaluate((element) => {
    const { PointerEvent } = globalThis as unknown as { PointerEvent: typeof Event };
    const mouse = { bubbles: true, pointerId: 1 };
    for (const type of ["pointerdown", "pointerup"])
      element.dispatchEvent(new PointerEvent(type, mouse));
  });
}
