import type { DeadAirSettings } from '@greenroom/contracts';
import type { Redis } from 'ioredis';
import { encodeActions, parseCall, parseOutbox } from './call-codec.js';
import type {
  CallRecord,
  CallWatcher,
  ChangeOptions,
  ChangeResult,
  DueCalls,
  NextCall,
  OpenCallArguments,
  OpenCallResult,
  OutboxEntry,
  ReduceCall,
} from './call-types.js';
import { toSchemaError } from './errors.js';
import type { EpochMs } from './types.js';
import { asList, type ScriptAnswer, type ScriptRunner, unexpected } from './script-runner.js';

/** So long an agent that watches by itself can find its flag. */
const AGENT_DONE_SECONDS = 10;

type Change = Omit<ChangeOptions, 'known'>;

/** Calls whose silence is watched: their state, what is due, and what is to be sent for them. */
export class CallStore {
  readonly #scripts: ScriptRunner;
  readonly #connection: Redis;
  readonly #keyPrefix: string;
  readonly #onUnreadable: (key: string) => void;
  #watcher: CallWatcher | undefined;

  constructor(
    scripts: ScriptRunner,
    connection: Redis,
    options: { keyPrefix: string; onUnreadable: (key: string) => void },
  ) {
    this.#scripts = scripts;
    this.#connection = connection;
    this.#keyPrefix = options.keyPrefix;
    this.#onUnreadable = options.onUnreadable;
  }

  /**
   * From now on this process sends what its own changes command and looks when they are due; others need no wake for that.
   * Returns how to stop.
   */
  watch(watcher: CallWatcher): () => void {
    this.#watcher = watcher;
    return () => {
      if (this.#watcher === watcher) this.#watcher = undefined;
    };
  }

  /** Opened again, a call stays as it is; a phone call without a session gets the one that is named. */
  async open({ state, settings, dueAt, facts = {}, ...args }: OpenCallArguments): Promise<OpenCallResult> {
    const answer = await this.#scripts.run('open-call', {
      ...args,
      dueAt: wholeMs(dueAt),
      state: JSON.stringify(state),
      settings: JSON.stringify(settings),
      facts: JSON.stringify(facts),
      watches: this.#watcher !== undefined,
    });
    switch (answer.status) {
      case 'opened':
      case 'exists': {
        const call = parseCall(answer.call);
        this.#watcher?.changed(call, []);
        return { status: answer.status, call };
      }
      case 'taken':
        return { status: 'taken', by: String(answer.by) };
      case 'session_over':
        return { status: 'session_over' };
      default:
        throw unexpected('open-call', answer);
    }
  }

  read(callId: string): Promise<CallRecord | undefined> {
    return this.#find({ callId });
  }

  /** The call of a session, a phone's or its own; undefined where nobody watches it. */
  findBySession(sessionId: string): Promise<CallRecord | undefined> {
    return this.#find({ sessionId });
  }

  /**
   * Asks `reduce` what the call becomes, and writes that if nobody has changed it meanwhile; else asks again.
   * @throws RedisUnavailableError when there is no answer in time: the change may or may not have been made. Asked again with
   *   the same `eventId`, it is made once
   */
  async change(callId: string, reduce: ReduceCall, options: ChangeOptions = {}): Promise<ChangeResult> {
    const { known, ...change } = options;
    let call = known;
    for (;;) {
      const next = call === undefined ? undefined : reduce(call);
      if (call && next === 'unchanged' && !isNoted(change)) return { status: 'unchanged', call };
      const answer = await this.#takeStep(callId, change, call, next);
      if (answer.status !== 'stale') return this.#resultOf(answer);
      call = parseCall(answer.call);
    }
  }

  /**
   * Changes what is named, and leaves the rest; what is null has its default again.
   * @param reduce what the call becomes with them
   */
  setSettings(
    callId: string,
    patch: { [Name in keyof DeadAirSettings]?: DeadAirSettings[Name] | null },
    reduce: ReduceCall,
  ): Promise<ChangeResult> {
    return this.change(callId, (call) => {
      const merged = Object.entries({ ...call.settings, ...patch }).filter(([, value]) => value !== null);
      const settings = Object.fromEntries(merged) as DeadAirSettings;
      const next = reduce({ ...call, settings });
      return { ...(next === 'unchanged' ? asItIs(call) : next), settings };
    });
  }

  /** What is due of all calls, in one command. It is ours for `leaseMs` (600); then somebody else may take it. */
  async takeDue({ limit = 100, leaseMs }: { limit?: number; leaseMs?: number } = {}): Promise<DueCalls> {
    const answer = await this.#scripts.run('take-due-calls', { limit, leaseMs });
    if (answer.status !== 'ok') throw unexpected('take-due-calls', answer);
    const outboxes = asList<{ call: unknown; entries: unknown }>(answer.outboxes);
    return {
      now: Number(answer.clock),
      calls: asList(answer.calls).flatMap((call) => this.#readable(call, () => parseCall(call))),
      outboxes: outboxes.flatMap(({ call, entries }) =>
        this.#readable(call, () => ({ call: parseCall(call), entries: parseOutbox(entries) })),
      ),
      nextDueAt: typeof answer.nextDueAt === 'number' ? answer.nextDueAt : undefined,
    };
  }

  /** It has arrived: it is not sent again. */
  async confirm(callId: string, commandId: string): Promise<void> {
    const answer = await this.#scripts.run('confirm-command', { callId, commandId });
    if (answer.status !== 'ok' && answer.status !== 'not_found') throw unexpected('confirm-command', answer);
  }

  /** What could not be sent for a call is tried again after this time. */
  async retryIn(callId: string, inMs: number): Promise<void> {
    const answer = await this.#scripts.run('retry-commands', { callId, inMs });
    if (answer.status === 'not_found') return;
    if (answer.status !== 'ok') throw unexpected('retry-commands', answer);
    this.#watcher?.due(Number(answer.clock) + inMs);
  }

  /**
   * The telephone network says that it is over.
   * @returns the call; `noted` where it may be one whose host has not published it yet, and its session will end with that
   */
  async hangUp(callId: string, cause: string): Promise<CallRecord | 'noted' | undefined> {
    const answer = await this.#scripts.run('hang-up-call', { callId, cause });
    switch (answer.status) {
      case 'known':
        return parseCall(answer.call);
      case 'noted':
        return 'noted';
      case 'not_found':
        return undefined;
      default:
        throw unexpected('hang-up-call', answer);
    }
  }

  /** The call is over, and nothing of it is left. Its session, where it has one, ends through the ordinary door. */
  async close(callId: string): Promise<void> {
    const answer = await this.#scripts.run('close-call', { callId });
    if (answer.status !== 'closed') throw unexpected('close-call', answer);
  }

  /**
   * For agents that watch by themselves, the flag `flag:{callId}:agent_done_speaking`: the agent's last playback has really
   * ended, and nothing has interrupted since. It goes after 10 s. `change` sets and clears it in the step of the call.
   */
  async setAgentDone(callId: string): Promise<void> {
    await this.#plainly(
      'setAgentDone',
      (key) => this.#connection.set(key, 'true', 'EX', AGENT_DONE_SECONDS),
      callId,
    );
  }

  /** Whether the flag stood there; of several who ask, one is told so. */
  async takeAgentDone(callId: string): Promise<boolean> {
    return (await this.#plainly('takeAgentDone', (key) => this.#connection.getdel(key), callId)) === 'true';
  }

  /** The caller interrupts. */
  async clearAgentDone(callId: string): Promise<void> {
    await this.#plainly('clearAgentDone', (key) => this.#connection.del(key), callId);
  }

  /** One that is spoilt keeps nobody from the others. */
  #readable<T>(call: unknown, parse: () => T): T[] {
    try {
      return [parse()];
    } catch {
      this.#onUnreadable(`call:${String((call as { callId?: unknown }).callId)}`);
      return [];
    }
  }

  async #find(by: { callId: string } | { sessionId: string }): Promise<CallRecord | undefined> {
    const answer = await this.#scripts.run('read-call', by);
    if (answer.status === 'not_found') return undefined;
    if (answer.status !== 'ok') throw unexpected('read-call', answer);
    return parseCall(answer.call);
  }

  #takeStep(
    callId: string,
    change: Change,
    call: CallRecord | undefined,
    next: NextCall | 'unchanged' | undefined,
  ): Promise<ScriptAnswer> {
    const becomes = next === 'unchanged' ? undefined : next;
    return this.#scripts.run('change-call', {
      callId,
      ...change,
      version: call?.version,
      ...encodeActions(becomes?.actions ?? []),
      steps: becomes?.steps ?? [],
      ...(becomes && { state: JSON.stringify(becomes.state), dueAt: wholeMs(becomes.dueAt) }),
      ...(becomes?.settings && { settings: JSON.stringify(becomes.settings) }),
      ...(becomes?.facts && { facts: JSON.stringify(becomes.facts) }),
      watches: this.#watcher !== undefined,
    });
  }

  #resultOf(answer: ScriptAnswer): ChangeResult {
    switch (answer.status) {
      case 'changed': {
        const call = parseCall(answer.call);
        const outbox: OutboxEntry[] = parseOutbox(answer.outbox);
        this.#watcher?.changed(call, outbox);
        return { status: 'changed', call, outbox };
      }
      case 'noted':
        return { status: 'unchanged', call: parseCall(answer.call) };
      case 'duplicate':
      case 'unheard':
        return { status: answer.status, call: parseCall(answer.call) };
      case 'over':
      case 'not_found':
        return { status: answer.status };
      default:
        throw unexpected('change-call', answer);
    }
  }

  async #plainly<T>(what: string, ask: (key: string) => Promise<T>, callId: string): Promise<T> {
    try {
      return await ask(`${this.#keyPrefix}flag:${callId}:agent_done_speaking`);
    } catch (error) {
      throw toSchemaError(error, what);
    }
  }
}

/** Whether an event that changes nothing must be written down all the same. */
function isNoted({ eventId, confirms }: Change): boolean {
  return eventId !== undefined || confirms !== undefined;
}

function asItIs({ state, dueAt }: CallRecord): NextCall {
  return { state, dueAt, actions: [], steps: [] };
}

/** Never before the very moment: nothing would follow yet. */
function wholeMs(dueAt: EpochMs | undefined): EpochMs | undefined {
  return dueAt === undefined ? undefined : Math.ceil(dueAt);
}
