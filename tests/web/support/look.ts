import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { DESKTOP, PHONE } from './browser.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** Git leaves this folder alone: no two runs draw the very same picture. */
const PICTURES = join(ROOT, '.greenroom/screenshots');
const DOCS = join(ROOT, 'docs/images');
/** What the docs show of each screen; written there with SCREENSHOTS=docs. */
const IN_DOCS: readonly string[] = ['desktop-light', 'phone-dark'];

export interface LookOptions {
  /** The whole page, not only what a window of that size shows. Default false. */
  readonly fullPage?: boolean;
}

/** Pictures of a screen as it is now, at both widths, light and dark: `NAME-{desktop,phone}-{light,dark}.png`. */
export async function takePictures(page: Page, name: string, options: LookOptions = {}): Promise<void> {
  await mkdir(PICTURES, { recursive: true });
  const before = page.viewportSize() ?? DESKTOP;
  for (const [device, size] of [
    ['desktop', DESKTOP],
    ['phone', PHONE],
  ] as const) {
    await page.setViewportSize(size);
    for (const theme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: theme });
      await untilSettled(page);
      const look = `${device}-${theme}`;
      const file = `${name}-${look}.png`;
      await page.screenshot({
        path: join(PICTURES, file),
        fullPage: options.fullPage ?? false,
        animations: 'disabled',
      });
      if (process.env['SCREENSHOTS'] === 'docs' && IN_DOCS.includes(look))
        await copyFile(join(PICTURES, file), join(DOCS, file));
    }
  }
  await page.setViewportSize(before);
  await page.emulateMedia({ colorScheme: 'light' });
}

/** What axe finds wrong with the page as it is now, wide and light, narrow and dark: `[]`, hopefully. */
export async function findViolations(page: Page): Promise<string[]> {
  // Evaluated, not added as a script: the page's policy forbids scripts of others.
  await page.evaluate(await readFile(AXE, 'utf8'));
  const before = page.viewportSize() ?? DESKTOP;
  const found: string[] = [];
  for (const [size, colorScheme] of [
    [DESKTOP, 'light'],
    [PHONE, 'dark'],
  ] as const) {
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme });
    await untilSettled(page);
    found.push(...(await runAxe(page)).map((violation) => `${size.width} ${colorScheme}: ${violation}`));
  }
  await page.setViewportSize(before);
  await page.emulateMedia({ colorScheme: 'light' });
  return found;
}

/** Pages that see to their theme by script have it a frame or two later, and then colours take a moment to change. */
function untilSettled(page: Page): Promise<void> {
  return page.evaluate(async () => {
    for (let frames = 0; frames < 3; frames += 1) {
      await new Promise(requestAnimationFrame);
      const passing = document
        .getAnimations()
        .filter(
          ({ effect, playState }) =>
            playState === 'running' && Number.isFinite(effect?.getComputedTiming().endTime),
        );
      await Promise.allSettled(passing.map(({ finished }) => finished));
    }
  });
}

interface AxeResults {
  violations: { id: string; help: string; nodes: { html: string; failureSummary: string }[] }[];
}

function runAxe(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<AxeResults> } };
    const { violations } = await axe.run();
    return violations.flatMap(({ id, help, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${help}: ${html.slice(0, 200)} (${failureSummary})`),
    );
  });
}
