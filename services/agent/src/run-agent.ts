import { DisconnectReason, type Room, RoomEvent } from '@livekit/rtc-node';
import type { AgentConfig } from './config.js';
import type { Conversation, ConversationEnd } from './conversation/conversation.js';
import { type EventLog, openEventLog } from './events.js';
import { joinRoom } from './room/connect.js';
import { TypedLines } from './room/typed-lines.js';

const HEALTH_INTERVAL_MS = 15_000;
/** Longer than leaving ever takes, shorter than the second that the contract allows. */
const LEAVE_LIMIT_MS = 700;

const EXIT_FAILED = 1;

/**
 * The other side ended it; anything else is trouble, and the platform may start us again. To be thrown out of a room that goes
 * on is trouble too: its caller is still there.
 */
const ENDED_BY_OTHERS: readonly DisconnectReason[] = [
  DisconnectReason.CLIENT_INITIATED,
  DisconnectReason.DUPLICATE_IDENTITY,
  DisconnectReason.ROOM_DELETED,
  DisconnectReason.ROOM_CLOSED,
];

let room: Room | undefined;
let conversation: Conversation | undefined;
let leaving = false;

/** One agent from joining its room to leaving it; ends the process. */
export async function runAgent(config: AgentConfig): Promise<void> {
  const events = openEventLog(config.eventsFile);
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => leave(0, `told to leave (${signal})`));
  for (const failure of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(failure, (error: unknown) => fail(events, `${failure}: ${describe(error)}`));
  }
  try {
    await perform(config, events);
  } catch (error) {
    fail(events, describe(error));
  }
}

/** The join goes on in the background of the import, which keeps this thread busy for most of a second. */
async function perform(config: AgentConfig, events: EventLog): Promise<void> {
  const joining = enterRoom(config, events);
  const [{ joined, typed }, { Conversation }] = await Promise.all([
    joining,
    import('./conversation/conversation.js'),
  ]);
  conversation = await Conversation.start({
    room: joined,
    typed,
    config,
    events,
    onEnd: (end) => finish(events, end),
  });
  events.write({ event: 'ready' });
  log(`on stage in ${config.roomName} (${config.mode}; ${conversation.description})`);
  reportHealth(events, conversation);
}

async function enterRoom(
  { livekitUrl, livekitToken, roomName }: AgentConfig,
  events: EventLog,
): Promise<{ joined: Room; typed: TypedLines }> {
  try {
    const { room: joined, prepared: typed } = await joinRoom({
      url: livekitUrl,
      token: livekitToken,
      prepare: (fresh) => new TypedLines(fresh),
    });
    joined.once(RoomEvent.Disconnected, (reason) => leaveAfterDisconnect(events, reason));
    room = joined;
    return { joined, typed };
  } catch (error) {
    throw new Error(`can't enter room ${roomName} at ${livekitUrl}: ${describe(error)}`, { cause: error });
  }
}

function reportHealth(events: EventLog, current: Conversation): void {
  setInterval(() => {
    events.write({
      event: 'health',
      status: 'ok',
      state: current.state,
      callerPresent: current.callerPresent,
      rssBytes: process.memoryUsage.rss(),
      uptimeMs: Math.round(process.uptime() * 1000),
    });
  }, HEALTH_INTERVAL_MS).unref();
}

function finish(events: EventLog, end: ConversationEnd): void {
  switch (end.kind) {
    case 'hung up':
      events.write({ event: 'end', reason: end.reason });
      leave(0, `hung up: ${end.reason}`);
      break;
    case 'failed':
      fail(events, end.message);
      break;
  }
}

function leaveAfterDisconnect(events: EventLog, reason: DisconnectReason): void {
  const name = DisconnectReason[reason] ?? 'UNKNOWN_REASON';
  if (ENDED_BY_OTHERS.includes(reason)) leave(0, `the room ended: ${name}`);
  else fail(events, `lost the room: ${name}`);
}

function fail(events: EventLog, message: string): void {
  if (leaving) return;
  events.write({ event: 'error', message });
  leave(EXIT_FAILED, message);
}

/** The one way out; the first cause wins. */
function leave(code: number, why: string): void {
  if (leaving) return;
  leaving = true;
  log(why);
  setTimeout(() => process.exit(code), LEAVE_LIMIT_MS);
  void Promise.resolve(room?.disconnect())
    .catch(() => undefined)
    .finally(() => process.exit(code));
}

function log(line: string): void {
  process.stdout.write(`greenroom agent: ${line}\n`);
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
