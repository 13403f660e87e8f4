import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';

export const PHONE = { width: 390, height: 844 };
export const DESKTOP = { width: 1280, height: 800 };

export interface BrowserOptions {
  /** What its microphone hears, over and over (see `speakToFile`). Without one: beeps, as Chromium makes them. */
  readonly microphoneWav?: string;
  /** False: there is no microphone at all. Default true. */
  readonly hasMicrophone?: boolean;
  /** A name that this browser takes for this machine. Unlike localhost it is no secure address. */
  readonly hostName?: string;
}

export interface TestBrowser {
  /** A window of its own, with its own storage. Closed with the browser at the latest. */
  open(options?: WindowOptions): Promise<BrowserContext>;
  /** At the end of the test file at the latest. */
  close(): Promise<void>;
}

export interface WindowOptions {
  readonly size?: { readonly width: number; readonly height: number };
  readonly theme?: 'light' | 'dark';
  /** Default `granted`. `denied`: a click on "Block". */
  readonly microphone?: 'granted' | 'denied';
  readonly reducedMotion?: boolean;
  /** For axe: it is brought into the page as a script of its own, which the page's policy forbids. */
  readonly bypassCSP?: boolean;
}

const opened = new Set<TestBrowser>();

// A test that fails before it closes its browser would otherwise keep the run alive for ever.
afterAll(async () => {
  for (const browser of opened) await browser.close();
});

/** A real Chromium without a screen, whose microphone is a file. It asks nobody on the network but whom the pages ask. */
export async function openBrowser(options: BrowserOptions = {}): Promise<TestBrowser> {
  const { microphoneWav, hasMicrophone = true, hostName } = options;
  const home = mkdtempSync(join(tmpdir(), 'chromium-'));
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    env: { ...definedOnly(process.env), HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home },
    args: [
      '--no-sandbox',
      '--disable-background-networking',
      '--disable-gpu',
      // As in a browser with a screen; without one Chromium plays whatever a page wants.
      '--autoplay-policy=document-user-activation-required',
      ...(hostName ? [`--host-resolver-rules=MAP ${hostName} 127.0.0.1`] : []),
      ...(hasMicrophone ? ['--use-fake-device-for-media-stream'] : []),
      ...(hasMicrophone && microphoneWav ? [`--use-file-for-fake-audio-capture=${microphoneWav}`] : []),
    ],
  });
  const it: TestBrowser = {
    open: (window) => openWindow(browser, window),
    async close() {
      if (!opened.delete(it)) return;
      await browser.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
  opened.add(it);
  return it;
}

async function openWindow(browser: Browser, options: WindowOptions = {}): Promise<BrowserContext> {
  const { size = DESKTOP, theme = 'light', microphone = 'granted', reducedMotion, bypassCSP } = options;
  const context = await browser.newContext({
    viewport: size,
    colorScheme: theme,
    locale: 'en-GB',
    reducedMotion: reducedMotion ? 'reduce' : 'no-preference',
    ...(bypassCSP && { bypassCSP }),
    permissions: microphone === 'granted' ? ['microphone', 'clipboard-read', 'clipboard-write'] : [],
  });
  context.setDefaultTimeout(20_000);
  return context;
}

/** What went wrong in a page so far: uncaught errors, and what the browser printed as an error. */
export function watchForErrors(page: Page): string[] {
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(`${message.text()} (${message.location().url})`);
  });
  return errors;
}

function definedOnly(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => !!entry[1]));
}
