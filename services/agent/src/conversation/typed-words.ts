/** More than anybody types at once; a caller's program may send anything. */
const MAX_CHARACTERS = 2_000;

/** What a caller has typed, as words like those that are heard: bounded, in one line, without control characters. */
export function wordsOf(typed: string): string {
  return typed
    .slice(0, MAX_CHARACTERS)
    .replace(/[\p{Cc}\p{Cs}\s]+/gu, ' ')
    .trim();
}
