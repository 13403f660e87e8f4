import { randomUUID } from 'node:crypto';
import { rm, stat } from 'node:fs/promises';
import type { AgentEvent } from '@greenroom/contracts';
import type { CallEvent } from '@greenroom/dead-air';
import type { AgentOutputBatch } from '@greenroom/redis-schema';
import type { AgentRun, RunOutput } from '../agent-run.js';
import { timeOf, toCallEvent } from '../calls/to-call-event.js';
import {
  createReadinessMatcher,
  eraseConsumed,
  LineTimes,
  type LogTail,
  openLogTail,
  parseAgentEvent,
  serveLine,
  trimLog,
} from '../logs/index.js';
import { type SpawnerContext, shortId } from '../spawner-context.js';
import { untilAnswered } from '../until-answered.js';

/** What stood in the lines that are being taken. */
interface Seen {
  /** When the file was written to last: of what does not say its own time nothing is known but that it was no later. */
  writtenAt: number;
  events: { type: string; data: unknown }[];
  sign: AgentOutputBatch['sign'];
  /** What of it means something for the silence of the call. */
  heard: CallEvent[];
}

/** A part of one of its files. */
type Read = AgentOutputBatch & { source: 'log' | 'events'; offset: number };

/** Lines kept in memory for the error of a start that failed, when the session's own are gone. */
const KEPT_LINES = 50;
/** An agent that prints faster than its lines can be served must not fill the disk: what is more than this is left out. */
const MAX_BACKLOG_BYTES = 16 * 1024 * 1024;
/** Of a backlog that is left out, the end that is served all the same. */
const KEPT_BACKLOG_BYTES = 1024 * 1024;
/** The same when the disk is nearly full. */
const KEPT_WHEN_FULL_BYTES = 64 * 1024;

/** How much of a log may stay. */
interface LogCap {
  readonly backlogBytes: number;
  readonly keptBacklogBytes: number;
  readonly capBytes?: number;
  readonly keepBytes?: number;
}

const USUAL_CAP: LogCap = { backlogBytes: MAX_BACKLOG_BYTES, keptBacklogBytes: KEPT_BACKLOG_BYTES };
/** Besides the checkpoints of reading, which stand still while Redis is away. */
const TRIM_INTERVAL_MS = 1000;
/** Fewer bytes than this are not worth a hole of their own while the agent lives. */
const ERASE_STEP_BYTES = 64 * 1024;

/** What one agent prints and reports: signs of readiness, events, and the lines that may be served. */
export class AgentOutput implements RunOutput {
  readonly patternSeen: Promise<void>;
  readonly readySaid: Promise<void>;
  readonly #context: SpawnerContext;
  readonly #run: AgentRun;
  readonly #onAgentEnd: (reason: string) => void;
  readonly #matches: (line: string) => boolean;
  readonly #log: LogTail;
  readonly #events: LogTail;
  #seePattern: () => void = () => undefined;
  #sayReady: () => void = () => undefined;
  readonly #times: LineTimes;
  readonly #trimming: NodeJS.Timeout;
  readonly #warnedOf = new Set<string>();
  readonly #waiting = new Set<{ sinceMs: number }>();
  #healthReports = 0;
  #leftOutBytes = 0;
  /** How far each file counts as read: where a successor would begin. */
  readonly #readTo: Record<Read['source'], number>;
  #lastLines: string[] = [];
  #erasedBytes = 0;
  #isServed = true;
  #hasSeenPattern = false;
  #hasSaidEnd = false;

  /** @param onAgentEnd called when the agent says that it ends the session on purpose */
  constructor(context: SpawnerContext, run: AgentRun, onAgentEnd: (reason: string) => void) {
    this.#context = context;
    this.#run = run;
    this.#onAgentEnd = onAgentEnd;
    this.#matches = createReadinessMatcher(run.session.mode, run.profile.readyPatterns);
    this.patternSeen = new Promise((resolve) => {
      this.#seePattern = resolve;
    });
    this.readySaid = new Promise((resolve) => {
      this.#sayReady = resolve;
    });
    // What an earlier life of this spawner has read is not read again.
    this.#hasSeenPattern = run.session.patternSeen;
    if (this.#hasSeenPattern) this.#seePattern();
    if (run.session.readySaid) this.#sayReady();
    this.#readTo = { log: run.session.logOffset ?? 0, events: run.session.eventsOffset ?? 0 };
    const onError = (error: unknown): void => {
      // We are leaving: a successor reads on from what Redis has.
      if ((error as Error).name !== 'AbortError') this.#warn('output could not be read', { error });
    };
    this.#times = new LineTimes(this.#logFile, (error) => {
      this.#warnOnce('the times of the log could not be written', { error });
    });
    this.#log = openLogTail({
      file: this.#logFile,
      offset: this.#readTo.log,
      onLines: (lines, end) => this.#takeLines(lines, end),
      onError,
      onCheckpoint: () => this.#trim(),
    });
    this.#events = openLogTail({
      file: run.eventsFile,
      offset: this.#readTo.events,
      onLines: (lines, end) => this.#takeEvents(lines, end),
      onError,
    });
    this.#trimming = setInterval(() => void this.#trim(), TRIM_INTERVAL_MS);
    this.#trimming.unref();
  }

  get healthReports(): number {
    return this.#healthReports;
  }

  heldUpMs(): number {
    const since = [...this.#waiting].map(({ sinceMs }) => sinceMs);
    return since.length === 0 ? 0 : performance.now() - Math.min(...since);
  }

  lastLines(count: number): string[] {
    return this.#lastLines.slice(-count);
  }

  async giveBack(what: 'consumed' | 'unread'): Promise<void> {
    await this.#trim({
      backlogBytes: what === 'unread' ? KEPT_WHEN_FULL_BYTES : MAX_BACKLOG_BYTES,
      keptBacklogBytes: KEPT_WHEN_FULL_BYTES,
      capBytes: 0,
      keepBytes: 0,
    });
  }

  /** Keeps the log within its cap. */
  async #trim(to: LogCap = USUAL_CAP): Promise<void> {
    try {
      await this.#leaveOutBacklog(to);
      const outcome = await trimLog({ file: this.#logFile, tail: this.#log, ...to });
      if (outcome.kind === 'truncated') this.#times.clear();
      if (outcome.kind === 'truncated' && outcome.lostBytes > 0) {
        this.#warn('the log was cut before it was read', { lostBytes: outcome.lostBytes });
      }
      if (outcome.kind === 'failed') this.#warnOnce('the log could not be trimmed', outcome);
    } catch (error) {
      this.#warnOnce('the log could not be looked at', { error });
    }
  }

  async #leaveOutBacklog({ backlogBytes, keptBacklogBytes }: LogCap): Promise<void> {
    const { size } = await stat(this.#logFile);
    const keepFrom = size - keptBacklogBytes;
    if (size - this.#log.offset <= backlogBytes) return;
    this.#leftOutBytes += keepFrom - this.#log.offset;
    this.#log.skipTo(keepFrom);
    this.#warnOnce('the agent prints more than can be served; some of it is left out', { size });
  }

  async catchUp(): Promise<boolean> {
    const areRead = await Promise.all([this.#log.catchUp(), this.#events.catchUp()]);
    return areRead.every(Boolean);
  }

  async close(): Promise<void> {
    clearInterval(this.#trimming);
    await Promise.all([this.#log.close({ drain: true }), this.#events.close({ drain: true })]);
    await this.#times.close();
  }

  async leave(): Promise<void> {
    clearInterval(this.#trimming);
    await Promise.all([this.#log.close({ drain: false }), this.#events.close({ drain: false })]);
    await this.#times.close();
  }

  async eraseEvents(): Promise<void> {
    await rm(this.#run.eventsFile, { force: true });
  }

  get #logFile(): string {
    return this.#context.state.logFile(this.#run.id, this.#run.ref.generation);
  }

  async #takeLines(lines: string[], offset: number): Promise<void> {
    const shown: string[] = this.#noteLeftOut();
    const seen = await this.#lookAt(this.#logFile);
    for (const line of lines) {
      if (!this.#hasSeenPattern && this.#matches(line)) this.#hasSeenPattern = true;
      this.#understand(line, seen);
      const served = serveLine(line);
      if (served.kind === 'shown') shown.push(served.text);
      if (served.kind === 'withheld') this.#warnOfTranscript();
    }
    if (seen.events.some((event) => event.type === 'transcript')) this.#warnOfTranscript();
    if (this.#hasSeenPattern) {
      seen.sign ??= 'patternSeen';
      this.#seePattern();
    }
    this.#lastLines = [...this.#lastLines, ...shown].slice(-KEPT_LINES);
    const at = this.#printedAt(seen);
    this.#times.note(offset, at);
    await this.#serve({ source: 'log', lines: shown, at, offset }, seen);
  }

  async #takeEvents(lines: string[], offset: number): Promise<void> {
    const seen = await this.#lookAt(this.#run.eventsFile);
    for (const line of lines) this.#understand(line, seen);
    await this.#serve({ source: 'events', lines: [], offset }, seen);
    if (offset - this.#erasedBytes < ERASE_STEP_BYTES) return;
    await eraseConsumed(this.#run.eventsFile, offset);
    this.#erasedBytes = offset;
  }

  /** By Redis's clock, as all times of a session. Lines read late were printed no later than their file was written to. */
  #printedAt({ writtenAt }: Seen): number {
    return Math.round(this.#context.redis.clock.now() - Math.max(0, Date.now() - writtenAt));
  }

  async #lookAt(file: string): Promise<Seen> {
    const written = await stat(file).catch(() => undefined);
    return { writtenAt: written?.mtimeMs ?? Date.now(), events: [], sign: undefined, heard: [] };
  }

  /** Acts on an event at once, and notes it as it goes into the session's stream. */
  #understand(line: string, seen: Seen): void {
    const parsed = parseAgentEvent(line);
    if (parsed.kind === 'invalid') this.#warnOnce(`bad ${parsed.name} event`, { problem: parsed.problem });
    if (parsed.kind !== 'event') return;
    const { event: type, ...data } = parsed.event;
    if (type === 'ready') seen.sign = 'readySaid';
    seen.events.push({ type, data });
    const now = { ours: Date.now(), redis: this.#context.redis.clock.now() };
    const heard = toCallEvent(parsed.event, timeOf(parsed.at ?? seen.writtenAt, now));
    if (heard !== undefined) seen.heard.push(heard);
    this.#act(parsed.event);
  }

  #act(event: AgentEvent): void {
    switch (event.event) {
      case 'ready':
        return this.#sayReady();
      case 'end':
        return this.#sayEnd(event.reason);
      case 'error':
        return this.#warn('the agent reports an error', { message: event.message });
      case 'agent_speaking':
      case 'user_speaking':
      case 'transcript':
      case 'tool':
      case 'transfer':
      case 'said':
        return;
      case 'health':
        this.#healthReports += 1;
    }
  }

  /** It may say so as often as it likes: it ends once. */
  #sayEnd(reason: string): void {
    if (this.#hasSaidEnd) return;
    this.#hasSaidEnd = true;
    this.#onAgentEnd(reason);
  }

  /** Reading waits until Redis has the batch: the file keeps what is not served yet. */
  async #serve(output: Omit<Read, 'events'>, { events, sign, heard }: Seen): Promise<void> {
    if (!this.#isServed) return;
    const waiting = { sinceMs: performance.now() };
    this.#waiting.add(waiting);
    const batch = { ...output, events, sign, id: randomUUID() };
    const answer = await this.#handOver(batch, heard).finally(() => this.#waiting.delete(waiting));
    // The session is over or launched anew: late output is nobody's, and must not bring keys back.
    if (answer === 'superseded') this.#isServed = false;
  }

  /** The call first: what it was not told of is read once more by whoever comes after us. */
  async #handOver(batch: Read, heard: readonly CallEvent[]): Promise<'ok' | 'superseded'> {
    const { redis, leaving, calls } = this.#context;
    const { source, offset } = batch;
    await calls.hear(this.#run, heard, { source, from: this.#readTo[source] });
    const answer = await untilAnswered(() => redis.agents.append(this.#run.ref, batch), leaving);
    this.#readTo[source] = offset;
    return answer;
  }

  #noteLeftOut(): string[] {
    const bytes = this.#leftOutBytes;
    this.#leftOutBytes = 0;
    return bytes === 0
      ? []
      : [`… ${Math.ceil(bytes / 1024 / 1024)} MiB of output left out: too much at once`];
  }

  #warnOfTranscript(): void {
    this.#warnOnce(
      'the agent prints transcripts on stdout; they are withheld, and belong in GREENROOM_EVENTS',
    );
  }

  #warnOnce(message: string, facts: object = {}): void {
    if (this.#warnedOf.has(message)) return;
    this.#warnedOf.add(message);
    this.#warn(message, facts);
  }

  #warn(message: string, facts: object): void {
    this.#context.logger.warn(message, { session: shortId(this.#run.id), ...facts });
  }
}
