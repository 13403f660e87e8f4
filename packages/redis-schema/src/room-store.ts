import { type ScriptAnswer, type ScriptRunner, unexpected } from './script-runner.js';
import { parseEnded, parseSession } from './session-codec.js';
import type { LaunchRef, Superseded } from './sessions/index.js';
import type { EndedRecord, SessionRecord } from './session-types.js';
import type { EpochMs } from './types.js';

/** `unknown`: LiveKit could not tell, or somebody is on the way in. */
export type Presence = 'present' | 'absent' | 'unknown';

/** Who was in the room of a launch. */
export interface SeenInRoom {
  /** When LiveKit was asked, on the clock of Redis. */
  seenAt: EpochMs;
  caller: Presence;
  /** When LiveKit let the caller in, by its own clock. */
  callerSince?: EpochMs | undefined;
  agent: Presence;
}

/** How long nobody ends anything because of an absence. */
export interface PresenceRules {
  /** For a caller to come at all; 0 is no limit. */
  joinGraceMs: number;
  /** For a caller to come back. */
  leaveGraceMs: number;
  /** For an agent to come back. */
  agentGraceMs: number;
  /** Until then an absence proves nothing: LiveKit itself was away. */
  notBefore?: EpochMs | undefined;
}

export type PresenceResult =
  | { status: 'ok'; session: SessionRecord; agentVanished: boolean }
  /** The caller has not come, or not come back, in time. */
  | { status: 'ending'; session: SessionRecord }
  | Superseded;

export type ListenerResult =
  | { status: 'ok' | 'refused'; session: SessionRecord }
  | { status: 'ended'; ended: EndedRecord }
  | { status: 'not_found' };

/** What is known of rooms: those that must go, and who is in those of live launches. */
export class RoomStore {
  readonly #scripts: ScriptRunner;

  constructor(scripts: ScriptRunner) {
    this.#scripts = scripts;
  }

  /**
   * The room is verified gone.
   * @returns `fenced` when its agent may bring it back: it stays doomed and is due again in some seconds
   */
  async clearDoomed(roomName: string): Promise<'ok' | 'fenced'> {
    const answer = await this.#scripts.run('clear-doomed-room', { roomName });
    if (answer.status === 'ok' || answer.status === 'fenced') return answer.status;
    throw unexpected('clear-doomed-room', answer);
  }

  /**
   * Notes who is in the room of this launch, and ends the call of a caller whose time to come or come back is over.
   * @param ref without a launch, of a session that waits for one
   */
  async notePresence(
    ref: Omit<LaunchRef, 'launch'> & { launch?: string },
    seen: SeenInRoom,
    rules: PresenceRules,
  ): Promise<PresenceResult> {
    const answer = await this.#scripts.run('note-presence', { ...ref, ...whole({ ...seen, ...rules }) });
    switch (answer.status) {
      case 'ok':
        return {
          status: 'ok',
          session: parseSession(answer.session),
          agentVanished: answer.agentVanished === true,
        };
      case 'ending':
        return { status: 'ending', session: parseSession(answer.session) };
      case 'superseded':
        return { status: 'superseded', now: answer.now as string | undefined };
      default:
        throw unexpected('note-presence', answer);
    }
  }

  /**
   * An operator listens in on a call from now on, and its caller was told. Noted again under the same identity, it is one.
   * @throws RedisRecoveringError when the session may have been lost with the data
   */
  async noteListener(sessionId: string, identity: string): Promise<ListenerResult> {
    const answer = await this.#scripts.run('note-listener', { sessionId, identity });
    switch (answer.status) {
      case 'ok':
      case 'refused':
        return { status: answer.status, session: parseSession(answer.session) };
      case 'ended':
        return { status: 'ended', ended: parseEnded(answer.ended) };
      case 'not_found':
        return { status: 'not_found' };
      default:
        throw unexpected('note-listener', answer);
    }
  }

  /** Makes the host that owns a session look at its room. Only a hint: the host finds out by itself, a little later. */
  async wakeOwner(sessionId: string): Promise<'woken' | 'unclaimed' | 'not_found'> {
    const answer: ScriptAnswer = await this.#scripts.run('wake-owner', { sessionId });
    switch (answer.status) {
      case 'woken':
      case 'unclaimed':
      case 'not_found':
        return answer.status;
      default:
        throw unexpected('wake-owner', answer);
    }
  }
}

/** Redis counts in whole milliseconds; our own clock in less. */
function whole<T extends object>(args: T): T {
  const rounded = Object.entries(args).map(([name, value]) => [
    name,
    typeof value === 'number' ? Math.floor(value) : value,
  ]);
  return Object.fromEntries(rounded) as T;
}
