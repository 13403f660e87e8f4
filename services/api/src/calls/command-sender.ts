import { callReducer, SPEECH_START_MS } from '@greenroom/dead-air';
import type { CallRecord, OutboxEntry, RedisSchema } from '@greenroom/redis-schema';
import type { Counter, Logger } from '@greenroom/service-kit';
import { type CallSender, type CommandOutcome, HeldBackError, type SendOutcome } from './call-sender.js';
import type { EndOfCalls } from './end-of-calls.js';
import { replaceAgent } from './replace-agent.js';

/** After as many attempts as stand before it. The lease of whoever takes it brings it back anyway. */
const RETRY_AFTER_MS = [250, 500, 1_000, 2_000] as const;
/** Of a LiveKit call: the line that was last sent to an agent. */
const SENT = 'sent';

export interface CommandSenderOptions {
  readonly redis: Pick<RedisSchema, 'calls' | 'clock' | 'sessions'>;
  readonly senders: readonly CallSender[];
  readonly ends: Pick<EndOfCalls, 'endSession' | 'close'>;
  /** By command: what a `say` was for, or its kind. Each counts once, however often it is sent. */
  readonly commands: Counter<'command'>;
  readonly logger: Pick<Logger, 'warn'>;
}

interface Failure {
  readonly entry: OutboxEntry;
  readonly error: unknown;
}

interface Delivery {
  call: CallRecord;
  entries: readonly OutboxEntry[];
}

/**
 * Sends what calls command, each call's in order, until it is confirmed. A command keeps its id, so that whoever gets it twice
 * takes it once.
 */
export class CommandSender {
  readonly #options: CommandSenderOptions;
  /** Calls that something is being sent for, and what came for them meanwhile. */
  readonly #busy = new Map<string, Delivery | undefined>();
  readonly #running = new Set<Promise<void>>();

  constructor(options: CommandSenderOptions) {
    this.#options = options;
  }

  /** Returns at once. */
  deliver(call: CallRecord, entries: readonly OutboxEntry[]): void {
    const delivery = { call, entries };
    if (this.#busy.has(call.callId)) {
      this.#busy.set(call.callId, delivery);
      return;
    }
    this.#busy.set(call.callId, undefined);
    const running = this.#sendAll(delivery).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Settles when nothing is under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #sendAll(first: Delivery): Promise<void> {
    const { callId } = first.call;
    const settled = new Set<string>();
    for (let delivery: Delivery | undefined = first; delivery !== undefined; ) {
      this.#busy.set(callId, undefined);
      await this.#sendInOrder(delivery, settled);
      delivery = this.#busy.get(callId);
    }
    this.#busy.delete(callId);
  }

  /**
   * One that cannot be sent keeps back none behind it: a question is asked though a transfer fails. But nothing is said before
   * what takes back the line before it: that would silence this one. Nor is anything said from a list that is not the latest:
   * what came meanwhile may have taken it back.
   */
  async #sendInOrder({ call, entries }: Delivery, settled: Set<string>): Promise<void> {
    const failed = new Map<string, Failure>();
    for (const entry of entries) {
      const { command } = entry;
      if (settled.has(command.commandId)) continue;
      if (command.kind === 'say' && this.#busy.get(call.callId) !== undefined) break;
      if (command.kind === 'say' && isTakingBack(failed)) continue;
      try {
        const outcome = await this.#send(call, entry);
        if (outcome === 'sent') {
          await this.#noteSent(call, command);
          continue;
        }
        settled.add(command.commandId);
        await this.#settle(call, entry, outcome);
        if (outcome === 'gone') return;
      } catch (error) {
        failed.set(command.commandId, { entry, error });
      }
    }
    if (failed.size > 0) await this.#putOff(call, [...failed.values()]);
  }

  async #send(call: CallRecord, entry: OutboxEntry): Promise<CommandOutcome> {
    const { redis, ends, commands } = this.#options;
    const { command, createdAt, attempts } = entry;
    if (attempts === 1) commands.inc({ command: command.kind === 'say' ? command.purpose : command.kind });
    switch (command.kind) {
      case 'end':
        await ends.endSession(call, command.reason);
        return call.medium === 'phone'
          ? mustBeTaken(await this.#senderOf(call).send(call, command))
          : 'confirmed';
      case 'restart_agent':
        return replaceAgent(redis, call, createdAt);
      case 'phone':
        return this.#senderOf(call).send(call, command);
      case 'say':
      case 'unsay': {
        // The rules no longer wait for it: it would be asked into another silence.
        const isExpired = redis.clock.now() - createdAt > SPEECH_START_MS;
        return isExpired ? expiredOutcome(call, command) : this.#senderOf(call).send(call, command);
      }
    }
  }

  /** Once: any api may be the one that finds its time over. */
  async #noteSent({ callId, medium, facts }: CallRecord, { kind, commandId }: OutboxEntry['command']) {
    if (medium !== 'livekit' || kind !== 'say' || facts[SENT] === commandId) return;
    await this.#options.redis.calls.change(callId, (call) => ({
      state: call.state,
      dueAt: call.dueAt,
      actions: [],
      steps: [],
      facts: { ...call.facts, [SENT]: commandId },
    }));
  }

  async #settle(
    call: CallRecord,
    { command: { kind, commandId } }: OutboxEntry,
    outcome: Exclude<CommandOutcome, 'sent'>,
  ): Promise<void> {
    const { redis, ends } = this.#options;
    if (outcome === 'gone') return ends.close(call);
    if (kind === 'end') return redis.calls.close(call.callId);
    if (outcome === 'confirmed') return redis.calls.confirm(call.callId, commandId);
    const at = redis.clock.now();
    const isUnsent = outcome === 'unsent' && { isUnsent: true as const };
    const failed = callReducer({ kind: 'command_failed', commandId, at, ...isUnsent });
    await redis.calls.change(call.callId, failed, { confirms: commandId });
  }

  async #putOff(call: CallRecord, failures: readonly Failure[]): Promise<void> {
    for (const failure of failures) this.#report(call, failure);
    // Its lease brings it back, where Redis cannot be told.
    await this.#options.redis.calls
      .retryIn(call.callId, Math.min(...failures.map(waitAfter)))
      .catch(() => undefined);
  }

  /** Whoever holds commands back says so by itself. */
  #report({ medium }: CallRecord, { entry: { command, attempts }, error }: Failure): void {
    if (error instanceof HeldBackError) return;
    this.#options.logger.warn('a command for a call was not sent, it is tried again', {
      command: command.kind,
      medium,
      attempts,
      error,
    });
  }

  #senderOf({ medium }: CallRecord): CallSender {
    const sender = this.#options.senders.find((each) => each.medium === medium);
    if (sender === undefined) throw new Error(`this api reaches no calls by ${medium}`);
    return sender;
  }
}

function isTakingBack(failed: ReadonlyMap<string, Failure>): boolean {
  return [...failed.values()].some(({ entry }) => entry.command.kind === 'unsay');
}

function waitAfter({ entry: { attempts }, error }: Failure): number {
  if (error instanceof HeldBackError) return error.retryInMs;
  return RETRY_AFTER_MS[Math.min(attempts, RETRY_AFTER_MS.length) - 1] ?? RETRY_AFTER_MS[0];
}

/**
 * Telnyx confirms what it takes, so that a line without that has not been heard. An agent that confirms nothing may have
 * spoken it all the same, if it was ever sent to one.
 */
function expiredOutcome(
  { medium, facts }: CallRecord,
  { kind, commandId }: OutboxEntry['command'],
): CommandOutcome {
  if (medium === 'livekit' && (kind !== 'say' || facts[SENT] === commandId)) return 'confirmed';
  return 'unsent';
}

/** A phone that is not hung up is never left at that. */
function mustBeTaken(outcome: SendOutcome): SendOutcome {
  if (outcome === 'refused') throw new Error('the end of a call was refused');
  return outcome === 'sent' ? 'confirmed' : outcome;
}
