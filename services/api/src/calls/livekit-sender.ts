import {
  messageId,
  SAY_TOPIC,
  type SayMessage,
  type SayPurpose,
  UNSAY_TOPIC,
  type UnsayMessage,
} from '@greenroom/contracts';
import type { CallCommand, CallRecord, RedisSchema } from '@greenroom/redis-schema';
import type { AgentMessages } from '../livekit/agent-messages.js';
import type { CallSender, SendOutcome } from './call-sender.js';

/** Has the agent of a LiveKit session speak: it is told by a data message, and tells by an event that it takes it up. */
export class LiveKitSender implements CallSender {
  readonly medium = 'livekit';
  readonly #sessions: Pick<RedisSchema['sessions'], 'read'>;
  readonly #messages: Pick<AgentMessages, 'send'>;

  constructor(redis: Pick<RedisSchema, 'sessions'>, messages: Pick<AgentMessages, 'send'>) {
    this.#sessions = redis.sessions;
    this.#messages = messages;
  }

  /** @throws when LiveKit does not answer, or there is no agent at the moment: another one may be on its way */
  async send(call: CallRecord, command: CallCommand): Promise<SendOutcome> {
    const found = call.sessionId === undefined ? undefined : await this.#sessions.read(call.sessionId);
    if (found?.status !== 'live') return 'gone';
    const { id: sessionId, generation, roomName } = found.session;
    const { topic, body, outcome } = messageOf(call, command);
    const isSent = await this.#messages.send({ sessionId, generation, roomName }, topic, body);
    if (!isSent) throw new Error('there is no agent in the room');
    return outcome;
  }
}

interface Message {
  topic: string;
  body: SayMessage | UnsayMessage;
  outcome: SendOutcome;
}

function messageOf({ openedAt }: CallRecord, command: CallCommand): Message {
  switch (command.kind) {
    case 'say': {
      const { text, purpose } = command;
      const commandId = messageId(openedAt, command.commandId);
      return { topic: SAY_TOPIC, body: { commandId, text, purpose: purpose as SayPurpose }, outcome: 'sent' };
    }
    case 'unsay':
      // Nothing tells that it was heard; what it makes void is over with the words that made it so.
      return {
        topic: UNSAY_TOPIC,
        body: { commandId: messageId(openedAt, command.of) },
        outcome: 'confirmed',
      };
    case 'end':
    case 'restart_agent':
    case 'phone':
      throw new Error(`${command.kind} goes through its own door`);
  }
}
