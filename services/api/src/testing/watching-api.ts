import type { CallCommand, CallRecord, RedisSchema } from '@greenroom/redis-schema';
import { createLogger } from '@greenroom/service-kit';
import type { SendOutcome } from '../calls/call-sender.js';
import { CommandSender } from '../calls/command-sender.js';
import { DueWatcher } from '../calls/due-watcher.js';
import { EndOfCalls } from '../calls/end-of-calls.js';
import { createApiMetrics } from '../metrics.js';

const quiet = createLogger({ service: 'api', level: 'error', secrets: [] });

export interface Sent {
  callId: string;
  command: CallCommand;
  at: number;
}

/** What an api has to do with calls, with a way of sending that writes down what was sent. */
export class WatchingApi {
  readonly sent: Sent[] = [];
  readonly metrics = createApiMetrics();
  readonly schema: RedisSchema;
  readonly #watcher: DueWatcher;
  readonly #sender: CommandSender;

  constructor(own: RedisSchema, answer: (command: CallCommand, times: number) => SendOutcome | Error) {
    this.schema = own;
    const send = async ({ callId }: CallRecord, command: CallCommand): Promise<SendOutcome> => {
      this.sent.push({ callId, command, at: own.clock.now() });
      const times = this.sent.filter((each) => each.command.commandId === command.commandId).length;
      const outcome = answer(command, times);
      if (outcome instanceof Error) throw outcome;
      return outcome;
    };
    const rooms = { close: async () => undefined };
    this.#sender = new CommandSender({
      redis: own,
      senders: [
        { medium: 'phone', send },
        { medium: 'livekit', send },
      ],
      ends: new EndOfCalls({ redis: own, rooms, ends: this.metrics.callEnds }),
      commands: this.metrics.callCommands,
      logger: quiet,
    });
    this.#watcher = new DueWatcher({
      redis: own,
      sender: this.#sender,
      lateness: this.metrics.callLateness,
      logger: quiet,
    });
    this.#watcher.open();
  }

  /** As a kill does: what is under way is lost. */
  async die(): Promise<void> {
    await this.schema.close();
    await this.#watcher.close();
  }

  async close(): Promise<void> {
    await this.#watcher.close();
    await this.#sender.idle();
    await this.schema.close();
  }
}
