import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError, SAY_TOPIC, type SayMessage, UNSAY_TOPIC } from '@greenroom/contracts';
import type { RedisSchema, SessionRecord } from '@greenroom/redis-schema';
import { nanoid } from 'nanoid';
import type { AgentMessages } from '../livekit/agent-messages.js';
import { SaidEvents } from './said-events.js';

/** Until the agent has to have taken it up. */
const LIMIT_MS = 4_000;
/** From then on until it is heard to its end: what the agent is saying, and then the longest announcement there may be. */
const HEARD_WITHIN_MS = 45_000;
/** Longer than all that may take. */
export const TELL_LIMIT_MS = 55_000;
/** A message may be lost, and a caller may finish speaking. */
const AGAIN_MS = 700;

export interface TellOptions {
  readonly redis: Pick<RedisSchema, 'events'>;
  readonly messages: Pick<AgentMessages, 'send' | 'hasCaller'>;
  readonly text: string;
}

/**
 * Has the agent tell its caller that somebody is about to listen. Resolves when that was said to
 * its end, and the caller is there.
 * @throws CodedError `caller_not_told` when nobody is there to be told, or the agent does not say it in time
 */
export async function tellCaller(session: SessionRecord, options: TellOptions): Promise<void> {
  const said = new SaidEvents();
  const unfollow = await said.follow(options.redis, session.id);
  try {
    if (await isTold(session, said, options)) return;
  } finally {
    await unfollow();
  }
  throw new CodedError('caller_not_told');
}

async function isTold(session: SessionRecord, said: SaidEvents, options: TellOptions): Promise<boolean> {
  const { messages, text } = options;
  const { id: sessionId, generation, roomName } = session;
  const agent = { sessionId, generation, roomName };
  const until = performance.now() + LIMIT_MS;
  let commandId = newCommandId();
  while (performance.now() < until) {
    if (!(await messages.hasCaller(roomName))) return false;
    const order: SayMessage = { commandId, text, purpose: 'announcement' };
    if (!(await messages.send(agent, SAY_TOPIC, order))) return false;
    const pauseMs = Math.min(AGAIN_MS, Math.max(0, until - performance.now()));
    switch (await said.answerTo(commandId, pauseMs)) {
      case 'taken_up':
      case 'heard':
        if ((await said.endOf(commandId, HEARD_WITHIN_MS)) === 'heard') return messages.hasCaller(roomName);
        await takeBack(agent, commandId, messages);
        return false;
      case 'not_said':
        // Into the words of a caller nothing is said. An order is taken once, so this is another one.
        commandId = newCommandId();
        await sleep(pauseMs);
        break;
      case 'unknown':
        break;
    }
  }
  await takeBack(agent, commandId, messages);
  return false;
}

/** Nobody will listen now, so nobody should say so later. */
async function takeBack(
  agent: Parameters<AgentMessages['send']>[0],
  commandId: string,
  messages: TellOptions['messages'],
): Promise<void> {
  await messages.send(agent, UNSAY_TOPIC, { commandId }).catch(() => undefined);
}

function newCommandId(): string {
  return `listen-${nanoid()}`;
}
