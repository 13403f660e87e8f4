import { type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { LineSplitter } from './line-splitter.js';

export interface LogTailOptions {
  readonly file: string;
  /** Where to begin, in bytes: the {@link LogTail.offset} of whoever read it before. */
  readonly offset?: number;
  /**
   * Called with the lines in order and the offset behind them, never twice at a time; reading waits for it. If it rejects, the error is reported
   * and the lines count as consumed: one bad line must not stop the tail, nor come again for ever.
   */
  readonly onLines: (lines: string[], endOffset: number) => Promise<void> | void;
  readonly onError?: (error: unknown) => void;
  /**
   * Called, and waited for, after about every `checkpointBytes` consumed: the place to trim the file, so that a flood
   * cannot outrun it. {@link LogTail.offset} is up to date then.
   */
  readonly onCheckpoint?: (tail: LogTail) => Promise<void>;
  readonly checkpointBytes?: number;
  readonly maxLineBytes?: number;
  /** How often to look unasked: inotify tells at once, but not on every file system, and not before the file exists. */
  readonly pollMs?: number;
}

export interface LogTail {
  /** Bytes of all lines that `onLines` is done with, or that were skipped. An adopter that begins here repeats nothing. */
  readonly offset: number;
  /** To be called by whoever has truncated the file. */
  rewind(): void;
  /** Leaves out what comes before `offset`, and the line that it falls into, for a reader too far behind. */
  skipTo(offset: number): void;
  /** Settles when what is in the file now has been read, and taken; false when it could not be. */
  catchUp(): Promise<boolean>;
  /**
   * Stops. With `drain`, what is in the file now is read first, a last line without an ending included. Settles when no
   * call of `onLines` is under way any more; never rejects.
   */
  close(options: { drain: boolean }): Promise<void>;
}

const CHUNK_BYTES = 64 * 1024;
/** Of a longer line the rest is left out. */
export const MAX_LINE_BYTES = 16 * 1024;
const POLL_MS = 1000;
const MISSING_POLL_MS = 200;
const CHECKPOINT_BYTES = 4 * 1024 * 1024;
const LINE_FEED = 0x0a;

/** Follows an append-only file as it grows. It need not exist yet. */
export function openLogTail(options: LogTailOptions): LogTail {
  const tail = new FileTail(options);
  tail.start();
  return tail;
}

interface CatchUp {
  /** Size of the file when it was asked. */
  readonly upTo: number;
  readonly answer: (isRead: boolean) => void;
}

class FileTail implements LogTail {
  readonly #options: LogTailOptions;
  readonly #chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  #offset: number;
  #position: number;
  #sinceCheckpoint = 0;
  #splitter: LineSplitter | undefined;
  #handle: FileHandle | undefined;
  #watcher: FSWatcher | undefined;
  #mode: 'following' | 'draining' | 'stopping' = 'following';
  #jumpTo: number | undefined;
  #wake: () => void = () => {};
  #isDirty = false;
  #catchingUp: CatchUp[] = [];
  #finished: Promise<void> = Promise.resolve();

  constructor(options: LogTailOptions) {
    this.#options = options;
    this.#offset = options.offset ?? 0;
    this.#position = this.#offset;
  }

  get offset(): number {
    return this.#jumpTo ?? this.#offset;
  }

  start(): void {
    this.#finished = this.#follow();
  }

  rewind(): void {
    this.skipTo(0);
  }

  skipTo(offset: number): void {
    this.#jumpTo = offset;
    this.#ring();
  }

  async catchUp(): Promise<boolean> {
    const upTo = await this.#sizeNow();
    if (this.#mode !== 'following') return false;
    return new Promise((answer) => {
      this.#catchingUp.push({ upTo, answer });
      this.#ring();
    });
  }

  /** Of the file that is being read. While there is none nothing but an end that was reached says that all was read. */
  async #sizeNow(): Promise<number> {
    const found = await this.#handle?.stat().catch(() => undefined);
    return found?.size ?? Number.POSITIVE_INFINITY;
  }

  async close({ drain }: { drain: boolean }): Promise<void> {
    if (!drain) this.#mode = 'stopping';
    else if (this.#mode === 'following') this.#mode = 'draining';
    this.#ring();
    await this.#finished;
  }

  async #follow(): Promise<void> {
    while (this.#mode === 'following') {
      this.#isDirty = false;
      const asking = new Set(this.#catchingUp);
      const isRead = await this.#guarded(() => this.#readToEnd(Number.POSITIVE_INFINITY));
      this.#answer(isRead && this.#isFollowing(), (it) => asking.has(it));
      await this.#rest();
    }
    this.#answer(false, () => true);
    if (this.#mode === 'draining') await this.#guarded(() => this.#drain());
    await this.#letGo();
  }

  #answer(isRead: boolean, isDone: (asked: CatchUp) => boolean): void {
    const done = this.#catchingUp.filter(isDone);
    this.#catchingUp = this.#catchingUp.filter((it) => !isDone(it));
    for (const { answer } of done) answer(isRead);
  }

  /** A file that cannot be read right now is tried again at the next look. */
  async #guarded(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.#options.onError?.(error);
      return false;
    }
  }

  /** Up to the size of this moment: what goes on printing cannot keep us here. */
  async #drain(): Promise<void> {
    if (!(await this.#ensureOpen())) return;
    const { size } = await (this.#handle as FileHandle).stat();
    await this.#readToEnd(size);
    if (this.#isStopping()) return;
    await this.#deliver(this.#splitter?.flush() ?? [], this.#position);
    this.#offset = this.#position;
  }

  #isFollowing(): boolean {
    return this.#mode === 'following';
  }

  #isStopping(): boolean {
    return this.#mode === 'stopping';
  }

  async #readToEnd(end: number): Promise<void> {
    const mode = this.#mode;
    while (this.#mode === mode && (await this.#ensureOpen())) {
      if (this.#position >= end) return;
      const handle = this.#handle as FileHandle;
      const length = Math.min(CHUNK_BYTES, end - this.#position);
      const { bytesRead } = await handle.read(this.#chunk, 0, length, this.#position);
      if (bytesRead === 0) return;
      await this.#consume(this.#chunk.subarray(0, bytesRead));
    }
  }

  async #consume(bytes: Buffer): Promise<void> {
    const splitter = this.#splitter as LineSplitter;
    const lines = splitter.push(bytes);
    this.#position += bytes.length;
    const endOffset = this.#position - splitter.pendingBytes;
    await this.#deliver(lines, endOffset);
    this.#offset = endOffset;
    // What goes on printing comes to no end, and must not keep anybody waiting for one.
    if (this.#isFollowing()) this.#answer(true, ({ upTo }) => upTo <= this.#position);
    this.#sinceCheckpoint += bytes.length;
    if (this.#sinceCheckpoint >= (this.#options.checkpointBytes ?? CHECKPOINT_BYTES))
      await this.#checkpoint();
  }

  async #checkpoint(): Promise<void> {
    this.#sinceCheckpoint = 0;
    await this.#guarded(async () => this.#options.onCheckpoint?.(this));
  }

  async #deliver(lines: string[], endOffset: number): Promise<void> {
    if (lines.length > 0) await this.#guarded(async () => this.#options.onLines(lines, endOffset));
  }

  /** False while there is no file. Begins anew when it was truncated or replaced. */
  async #ensureOpen(): Promise<boolean> {
    if (this.#jumpTo !== undefined) this.#beginAt(this.#jumpTo);
    if (this.#handle === undefined) {
      this.#handle = await openIfThere(this.#options.file);
      if (this.#handle === undefined) return false;
      this.#watch();
      if ((await this.#handle.stat()).size < this.#position) this.#beginAt(0);
    }
    this.#splitter ??= await this.#createSplitter(this.#handle);
    return true;
  }

  #beginAt(offset: number): void {
    this.#jumpTo = undefined;
    this.#offset = offset;
    this.#position = offset;
    this.#splitter = undefined;
  }

  /**
   * The byte before tells whether we begin in the middle of a line whose head has come out already. A zero there is a
   * part that was given back to the disk, which ends with a line.
   */
  async #createSplitter(handle: FileHandle): Promise<LineSplitter> {
    const before = Buffer.alloc(1);
    if (this.#position > 0) await handle.read(before, 0, 1, this.#position - 1);
    const startsInLine = before[0] !== LINE_FEED && before[0] !== 0;
    return new LineSplitter(this.#options.maxLineBytes ?? MAX_LINE_BYTES, startsInLine);
  }

  #watch(): void {
    try {
      this.#watcher = watch(this.#options.file, { persistent: false }, () => this.#ring());
      this.#watcher.on('error', () => this.#unwatch());
    } catch {
      // No inotify watches left: looking now and then has to do.
    }
  }

  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #ring(): void {
    this.#isDirty = true;
    this.#wake();
  }

  /** Until the file changes, or the time for an unasked look has come. */
  async #rest(): Promise<void> {
    if (this.#isDirty) return;
    const isWatched = this.#watcher !== undefined;
    const pollMs = this.#options.pollMs ?? POLL_MS;
    const wasRung = await this.#sleep(isWatched ? pollMs : Math.min(pollMs, MISSING_POLL_MS));
    if (!wasRung) await this.#guarded(() => this.#noticeReplacement());
  }

  #sleep(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), ms);
      timer.unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  /** A program may delete the file and write a new one, or cut it: then offsets begin again. */
  async #noticeReplacement(): Promise<void> {
    const handle = this.#handle;
    if (handle === undefined) return;
    const [ours, named] = await Promise.all([handle.stat(), statIfThere(this.#options.file)]);
    if (ours.size < this.#position) this.#beginAt(0);
    if (named === undefined || named.ino === ours.ino) return;
    await this.#readToEnd(ours.size);
    await this.#letGo();
    this.#beginAt(0);
  }

  async #letGo(): Promise<void> {
    this.#unwatch();
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close().catch(() => {});
  }
}

async function openIfThere(file: string): Promise<FileHandle | undefined> {
  return ignoreMissing(open(file, 'r'));
}

async function statIfThere(file: string): Promise<{ ino: number } | undefined> {
  return ignoreMissing(stat(file));
}

async function ignoreMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
