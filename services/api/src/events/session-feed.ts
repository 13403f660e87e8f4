import {
  type AgentStreamEvent,
  CodedError,
  type DeadAirStreamEvent,
  formatDuration,
  LINE_OBSTACLES,
  type LineObstacle,
  type ListenerStreamEvent,
  type SessionEndedEvent,
  type SessionStateEvent,
  type SessionStreamEvents,
  type SessionView,
  type TranscriptStreamEvent,
} from '@greenroom/contracts';
import {
  type EndedRecord,
  type RedisSchema,
  type SessionRecord,
  type StreamEntry,
  type StreamPosition,
  timeOfEntry,
} from '@greenroom/redis-schema';
import type { Client } from '../http/authenticate.js';
import { requireVisible } from '../sessions/find-session.js';
import { isoTime, viewPlace, viewSession, viewSessionForAdmin } from '../sessions/session-view.js';
import { type Feed, type FeedPage, PAGE_SIZE, type Told } from './feed.js';

/** Steps that a caller is told; the others are the affair of whoever runs this. */
export const STEPS_FOR_HOLDERS: ReadonlySet<string> = new Set([
  'queued',
  'starting',
  'ready',
  'restarting',
  'ending',
  'error',
  'moved',
]);
const AGENT_EVENTS_FOR_HOLDERS: ReadonlySet<string> = new Set(['agent_speaking', 'user_speaking']);

export interface SessionFeedOptions {
  readonly redis: Pick<RedisSchema, 'events' | 'sessions'>;
  readonly client: Client;
}

/** One session, as its holder or an admin sees it. */
export class SessionFeed implements Feed {
  readonly sessionId: string;
  readonly #options: SessionFeedOptions;
  #status: string | undefined;

  constructor(sessionId: string, options: SessionFeedOptions) {
    this.sessionId = sessionId;
    this.#options = options;
  }

  async read(position: StreamPosition | undefined): Promise<FeedPage> {
    const { redis, client } = this.#options;
    const page = await redis.events.readSession(this.sessionId, position, PAGE_SIZE);
    switch (page.status) {
      case 'entries':
        if (page.session) requireVisible(page.session, client);
        this.#status = page.session?.status;
        await this.keepAlive();
        return { kind: 'entries', epoch: page.epoch, entries: page.entries, ended: page.ended };
      case 'snapshot': {
        requireVisible(page.session, client);
        this.#status = page.session.status;
        const view = { ...this.#view(page.session), ...(await this.#askForPlace()) };
        return {
          kind: 'snapshot',
          position: page.position,
          told: told('snapshot', view),
          ended: page.ended,
        };
      }
      case 'moved':
        return { kind: 'moved', feed: new SessionFeed(page.to, this.#options) };
      case 'ended':
        return { kind: 'ended', epoch: page.epoch, ended: page.ended };
      case 'not_found':
        throw new CodedError('session_not_found');
    }
  }

  tell(entry: StreamEntry): Told | undefined {
    const facts = { sessionId: this.sessionId, at: isoTime(timeOfEntry(entry.id)) };
    if (entry.status !== '') this.#status = entry.status;
    if (entry.type === 'became') return this.#tellPromoted(String(entry.data.sessionId), facts.at);
    if (entry.type === 'transcript') return told('transcript', { ...facts, ...transcriptOf(entry) });
    if (entry.isAgents) {
      if (!this.#isAdmin && !AGENT_EVENTS_FOR_HOLDERS.has(entry.type)) return undefined;
      return told('agent', { ...entry.data, ...facts, kind: entry.type } satisfies AgentStreamEvent);
    }
    if (entry.type === 'listener') return told('listener', { ...facts, ...this.#listenerOf(entry) });
    if (entry.type === 'dead_air') return told('dead_air', deadAirOf(entry, facts));
    if (!this.#isAdmin && !STEPS_FOR_HOLDERS.has(entry.type)) return undefined;
    const detail = this.#isAdmin ? { step: entry.type, detail: entry.data } : {};
    return told('state', { ...facts, ...stateOf(entry), ...detail });
  }

  tellEnded({ endReason, endedAt, durationMs }: EndedRecord): Told {
    return told('ended', {
      sessionId: this.sessionId,
      endReason,
      endedAt: isoTime(endedAt),
      durationMs,
    } satisfies SessionEndedEvent);
  }

  /** A stream that is open asks for its caller: so it keeps its place in line. */
  async keepAlive(): Promise<boolean> {
    const { position } = await this.#askForPlace();
    return position !== undefined;
  }

  /** The question may bring the turn; then what happened since is told next. */
  async #askForPlace(): Promise<Partial<SessionView>> {
    if (this.#status !== 'queued') return {};
    const asked = await this.#options.redis.sessions.askInLine(this.sessionId);
    return asked.status === 'queued' ? viewPlace(asked) : {};
  }

  #tellPromoted(sessionId: string, at: string): Told {
    const goesOn = new SessionFeed(sessionId, this.#options);
    return { ...told('promoted', { sessionId, at }), goesOn };
  }

  #listenerOf({ data: { identity } }: StreamEntry): Partial<ListenerStreamEvent> {
    return this.#isAdmin && typeof identity === 'string' ? { identity } : {};
  }

  get #isAdmin(): boolean {
    return this.#options.client.kind === 'admin';
  }

  #view(session: SessionRecord) {
    return this.#isAdmin ? viewSessionForAdmin(session) : viewSession(session);
  }
}

function told<Name extends keyof SessionStreamEvents>(event: Name, data: SessionStreamEvents[Name]): Told {
  return { event, data };
}

function stateOf({ type, status, data }: StreamEntry): Omit<SessionStateEvent, 'sessionId' | 'at'> {
  const { position, estimatedWaitMs, blockedBy, startupMs, restarts, reason, error } = data;
  return {
    // The version before this one writes no status, and names these steps as the states that they lead to.
    status: (status || type) as SessionStateEvent['status'],
    ...(typeof position === 'number' && { position }),
    ...(typeof estimatedWaitMs === 'number' && {
      estimatedWait: formatDuration(estimatedWaitMs),
      estimatedWaitMs,
    }),
    ...(isObstacle(blockedBy) && { blockedBy }),
    ...(typeof startupMs === 'number' && { startupTime: startupMs }),
    ...(typeof restarts === 'number' && { restarts }),
    ...(typeof reason === 'string' && { endReason: reason as SessionStateEvent['endReason'] & string }),
    ...(type === 'error' && typeof error === 'string' && { error }),
  };
}

function isObstacle(value: unknown): value is LineObstacle {
  return LINE_OBSTACLES.some((it) => it === value);
}

function deadAirOf({ data }: StreamEntry, facts: { sessionId: string; at: string }): DeadAirStreamEvent {
  return { ...data, ...facts, step: String(data.step) };
}

function transcriptOf({ data }: StreamEntry): Pick<TranscriptStreamEvent, 'role' | 'text' | 'final'> {
  return {
    role: data.role === 'user' ? 'user' : 'agent',
    text: typeof data.text === 'string' ? data.text : '',
    final: data.final !== false,
  };
}
