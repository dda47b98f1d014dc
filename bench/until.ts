import type { Page } from "playwright-core";

/** Resolves once an expression is true in the page, whose policy forbids what playwright waits by. */
export async function until(page: Page, expression: string): Promise<void> {
  while (!(await page.evaluate<boolean>(expression)))
    await new Promise((resolve) => setTimeout(resolve, 5));
}
