import { expect } from '@jest/globals';
import { waitFor } from '@greenroom/test-kit';
import type { BrowserContext, Locator, Page } from 'playwright-core';
import type { WebStack } from './web-stack.js';

/** The call screen in a browser, as a person uses it. */
export class CallPage {
  constructor(
    readonly page: Page,
    readonly stack: WebStack,
  ) {}

  static async open(stack: WebStack, window: BrowserContext): Promise<CallPage> {
    const page = await window.newPage();
    await page.addInitScript(WATCH_SHIFTS);
    await page.goto(`${stack.webUrl}/`);
    return new CallPage(page, stack);
  }

  by(testId: string): Locator {
    return this.page.getByTestId(testId);
  }

  async start(name: string): Promise<void> {
    await this.by('name').fill(name);
    await this.by('start').click();
    await this.by('call').waitFor();
  }

  /** Both can talk. */
  async untilTalking(): Promise<string> {
    await this.by('agent').waitFor();
    return this.sessionId();
  }

  async sessionId(): Promise<string> {
    const id = await waitFor(() => this.by('call').getAttribute('data-session'));
    return id;
  }

  /** Resolves with the first line of that side which matches. */
  async untilSaid(role: 'user' | 'agent' | 'note', words: RegExp): Promise<string> {
    const line = this.by(`line-${role}`).filter({ hasText: words }).first();
    await line.waitFor();
    return line.innerText();
  }

  async view(): Promise<{ status: number; body: Record<string, unknown> }> {
    return this.stack.request('GET', `/api/session/${await this.sessionId()}`);
  }

  /** How much of what was there has moved without a click, as browsers count it (0.1 is what Web Vitals call good). */
  shifts(): Promise<number> {
    return this.page.evaluate(() => (globalThis as unknown as { shifts: number }).shifts);
  }

  async expectOver(reason: string): Promise<void> {
    await this.by('over').waitFor();
    await waitFor(async () => (await this.by('over').getAttribute('data-reason')) === reason);
    expect(await this.page.title()).toContain('Greenroom');
  }
}

const WATCH_SHIFTS = `
  globalThis.shifts = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) globalThis.shifts += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });
`;
