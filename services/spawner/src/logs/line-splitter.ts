const LINE_FEED = 0x0a;

/** Stands at the end of a line that was too long. */
export const CUT_MARK = ' …[cut]';

/**
 * Turns bytes into lines, in memory bounded by the cap however long a line is: one that reaches the cap comes out at
 * once, marked as cut, and its rest is skipped. Bytes that are no UTF-8 become replacement characters; a line feed is
 * never part of another character, so the damage ends with the line. Zero bytes at the start of a line are left out: a
 * part of the file that was given back to the disk reads as zeros.
 */
export class LineSplitter {
  readonly #maxLineBytes: number;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #isSkipping: boolean;

  /** @param startsInLine the first bytes are the rest of a line that was dealt with before */
  constructor(maxLineBytes: number, startsInLine: boolean) {
    this.#maxLineBytes = maxLineBytes;
    this.#isSkipping = startsInLine;
  }

  /** Bytes that were taken in and have not come out in a line yet. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** The lines that are complete with these bytes. */
  push(bytes: Buffer): string[] {
    const lines: string[] = [];
    const firstEnd = bytes.indexOf(LINE_FEED);
    if (firstEnd === -1) {
      this.#begin(bytes, lines);
      return lines;
    }
    this.#begin(bytes.subarray(0, firstEnd), lines);
    this.#end(lines);
    const lastEnd = bytes.lastIndexOf(LINE_FEED);
    // Whole lines in between are decoded in one go; this is what a flood consists of.
    if (lastEnd > firstEnd) this.#addWhole(bytes.toString('utf8', firstEnd + 1, lastEnd).split('\n'), lines);
    this.#begin(bytes.subarray(lastEnd + 1), lines);
    return lines;
  }

  /** What is left without an ending, when no more will come. */
  flush(): string[] {
    const lines: string[] = [];
    if (this.#pendingBytes > 0) this.#end(lines);
    return lines;
  }

  #begin(part: Buffer, lines: string[]): void {
    if (this.#isSkipping) return;
    const fresh = this.#pendingBytes === 0 ? part.subarray(countLeadingZeros(part)) : part;
    const room = this.#maxLineBytes - this.#pendingBytes;
    const kept = fresh.subarray(0, room);
    if (kept.length > 0) this.#pending.push(Buffer.from(kept));
    this.#pendingBytes += kept.length;
    if (fresh.length <= room) return;
    lines.push(this.#takePending() + CUT_MARK);
    this.#isSkipping = true;
  }

  #end(lines: string[]): void {
    const wasSkipping = this.#isSkipping;
    this.#isSkipping = false;
    if (!wasSkipping) lines.push(trimEnding(this.#takePending()));
  }

  #takePending(): string {
    const text = Buffer.concat(this.#pending).toString('utf8');
    this.#pending = [];
    this.#pendingBytes = 0;
    return text;
  }

  #addWhole(texts: readonly string[], lines: string[]): void {
    for (const text of texts) {
      const clean = trimEnding(text.startsWith('\0') ? text.replace(/^\0+/, '') : text);
      lines.push(clean.length > this.#maxLineBytes ? clean.slice(0, this.#maxLineBytes) + CUT_MARK : clean);
    }
  }
}

function trimEnding(text: string): string {
  return text.endsWith('\r') ? text.slice(0, -1) : text;
}

function countLeadingZeros(bytes: Buffer): number {
  let count = 0;
  while (bytes[count] === 0) count += 1;
  return count;
}
