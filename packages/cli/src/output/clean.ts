import { stripVTControlCharacters } from 'node:util';

/**
 * What others wrote (an agent's output, a caller's name) as it may go to a terminal: without escape sequences, which could
 * rewrite what is on the screen, and without the other control characters but for tabs.
 */
export function clean(text: string): string {
  return stripVTControlCharacters(text).replace(CONTROLS, '');
}

/** All but the tab; and the marks that turn the direction in which a line is read. */
const CONTROLS = /[^\P{Cc}\t]|[\u202a-\u202e\u2066-\u2069]/gu;
