import type { BrowserContext, Locator, Page } from 'playwright-core';
import type { WebStack } from './web-stack.js';

/** The console in a browser, as an operator uses it. */
export class ConsolePage {
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  /** At its door. */
  static async open({ webUrl }: WebStack, window: BrowserContext, path = '/console'): Promise<ConsolePage> {
    const page = await window.newPage();
    await page.goto(webUrl + path);
    return new ConsolePage(page);
  }

  /** Behind its door, and live. */
  static async enter(stack: WebStack, window: BrowserContext, path?: string): Promise<ConsolePage> {
    const it = await ConsolePage.open(stack, window, path);
    await it.signIn(stack.adminToken);
    await it.untilState('live');
    return it;
  }

  by(testId: string): Locator {
    return this.page.getByTestId(testId);
  }

  async signIn(token: string): Promise<void> {
    await this.by('token').fill(token);
    await this.by('enter').click();
  }

  /** Of the stream: `connecting`, `live` or `lost`. */
  untilState(state: string): Promise<void> {
    return this.page.locator(`[data-testid="stream-state"][data-state="${state}"]`).waitFor();
  }

  row(sessionId: string): Locator {
    return this.page.locator(`[data-testid="session-row"][data-id="${sessionId}"]`);
  }

  /** What a session's row says in one column. */
  cell(sessionId: string, column: string): Locator {
    return this.row(sessionId).locator(`[data-column="${column}"]`);
  }

  /** What stands in a column, from the first row on. */
  column(column: string): Promise<string[]> {
    return this.page.locator(`[data-testid="session-row"] [data-column="${column}"]`).allInnerTexts();
  }

  /** Waits for a number or a sentence. */
  async untilText(locator: Locator, text: string | RegExp): Promise<void> {
    await locator.filter({ hasText: text }).first().waitFor();
  }

  /** Everything that the browser keeps or shows of an address, from which a token must stay away. */
  async traces(): Promise<string> {
    const cookies = await this.page.context().cookies();
    const kept = await this.page.evaluate(() =>
      JSON.stringify([location.href, document.cookie, Object.entries(localStorage), history.state]),
    );
    return kept + JSON.stringify(cookies);
  }
}
