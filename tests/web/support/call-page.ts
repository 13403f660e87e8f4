import { expect } from '@jest/globals';
import { waitFor } from '@greenroom/test-kit';
import { ParticipantInfo_State } from 'livekit-server-sdk';
import type { BrowserContext, Locator, Page } from 'playwright-core';
import { findViolations, takePictures } from './look.js';
import type { WebStack } from './web-stack.js';

/** The call screen in a browser, as a person uses it. */
export class CallPage {
  #roomName: string | undefined;

  constructor(
    readonly page: Page,
    readonly stack: WebStack,
  ) {}

  static async open(stack: WebStack, window: BrowserContext, url = stack.webUrl): Promise<CallPage> {
    const page = await window.newPage();
    await page.addInitScript(WATCH_SHIFTS);
    await page.goto(`${url}/`);
    return new CallPage(page, stack);
  }

  /** The tab is closed, and comes back with what it kept, as browsers do it after a crash. */
  async restore(window: BrowserContext): Promise<CallPage> {
    const kept = await this.page.evaluate(() => Object.fromEntries(Object.entries(sessionStorage)));
    await this.page.close();
    const page = await window.newPage();
    await page.addInitScript((entries) => Object.assign(sessionStorage, entries), kept);
    await page.addInitScript(WATCH_SHIFTS);
    await page.goto(`${this.stack.webUrl}/`);
    return new CallPage(page, this.stack);
  }

  /** What the page asks of its session has no answer yet. @returns lets it have one */
  async holdSession(): Promise<() => void> {
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    await this.page.route(/\/api\/session\/[^/]+$/, async (route) => {
      await held;
      await route.continue();
    });
    return letGo;
  }

  by(testId: string): Locator {
    return this.page.getByTestId(testId);
  }

  async start(name: string, kind?: string): Promise<void> {
    await this.by('name').fill(name);
    if (kind) await this.by('kinds').locator(`input[value="${kind}"]`).check();
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

  async type(words: string): Promise<void> {
    await this.by('say').fill(words);
    await this.by('say').press('Enter');
  }

  /** As `type`, and once more when the page says that it may not have been heard: what it promises where a connection is lost. */
  async typeUntilSaid(words: string, answer: RegExp): Promise<void> {
    const answered = this.by('line-agent').filter({ hasText: answer }).first();
    await this.type(words);
    await answered.or(this.by('say-again')).first().waitFor();
    if (!(await answered.isVisible())) await this.by('say-again').first().click();
    await answered.waitFor();
  }

  /** Presses Tab until this has the focus, as somebody without a mouse does. */
  async tabTo(testId: string): Promise<void> {
    const focused = () => document.activeElement?.getAttribute('data-testid');
    for (let presses = 0; (await this.page.evaluate(focused)) !== testId; presses += 1) {
      if (presses > 30) throw new Error(`${testId} is out of reach of the keyboard`);
      await this.page.keyboard.press('Tab');
    }
  }

  /** Resolves with the first line of that side which matches. */
  async untilSaid(role: 'user' | 'agent' | 'note', words: RegExp): Promise<string> {
    const line = this.by(`line-${role}`).filter({ hasText: words }).first();
    await line.waitFor();
    return line.innerText();
  }

  /** Under which names this caller is in the room, as LiveKit has it; also when the page is closed. */
  async identities(): Promise<string[]> {
    return (await this.#participants()).map(({ identity }) => identity);
  }

  /** Those of them whose media connection is there. */
  async activeIdentities(): Promise<string[]> {
    const active = (await this.#participants()).filter(({ state }) => state === ParticipantInfo_State.ACTIVE);
    return active.map(({ identity }) => identity);
  }

  async #participants() {
    this.#roomName ??= String((await this.view()).body['roomName']);
    const participants = await this.stack.livekit.rooms.listParticipants(this.#roomName);
    return participants.filter(({ identity }) => identity.startsWith('caller-'));
  }

  /** Of each sound that this caller sends: whether it is muted, as LiveKit has it. */
  async mutedTracks(): Promise<boolean[]> {
    const [caller] = await this.#participants();
    return caller?.tracks.map(({ muted }) => muted) ?? [];
  }

  async view(): Promise<{ status: number; body: Record<string, unknown> }> {
    return this.stack.request('GET', `/api/session/${await this.sessionId()}`);
  }

  /** Nothing is wrong with this screen by axe; and pictures of it. The window changes its size meanwhile, which moves things. */
  async look(picture: string): Promise<void> {
    const before = await this.shifts();
    expect(await findViolations(this.page)).toEqual([]);
    await takePictures(this.page, picture);
    await this.page.evaluate((shifts) => Object.assign(globalThis, { shifts }), before);
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
