import {
  AGENT_STARTING,
  begin,
  beginPhone,
  type CallEvent,
  type CallState,
  callReducer,
} from '@greenroom/dead-air';
import type { RedisSchema, ReduceCall } from '@greenroom/redis-schema';
import type { AgentRun } from '../agent-run.js';
import { untilAnswered } from '../until-answered.js';
import { isPhoneCall } from './phone-call.js';
import { ongoingOf } from './to-call-event.js';

/** While its caller is away a session is not silent: LEAVE_GRACE decides what becomes of it. */
const CALLER_AWAY = 'caller_away';

interface Options {
  readonly redis: Pick<RedisSchema, 'calls' | 'clock'>;
  readonly leaving: AbortSignal;
  /** Somebody is heard in a session of which nobody has seen the caller yet. */
  readonly onSound: (run: AgentRun) => void;
  /** A call has begun here, or has another agent. */
  readonly onOpen: (run: AgentRun) => void;
  /** A call was not told what happened in it. */
  readonly onError: (run: AgentRun, error: unknown) => void;
}

/** What is known of one launch's call. */
interface Ear {
  /** Of a LiveKit session its own id, of a phone call that of the phone. */
  callId: string;
  /**
   * - `unknown`: nobody has looked whether there should be a call, or Redis has lost it
   * - `untold`: both sides are there, but nothing was ever heard of them: that is not silence
   */
  call: 'unknown' | 'opening' | 'untold' | 'open' | 'none';
  hasReported: boolean;
  isCallerAway: boolean;
  /** What goes on, by name: a call that is opened later, or again, has to know. */
  readonly ongoing: Map<string, CallEvent>;
  /** What is told of one call is told in order. */
  turn: Promise<void>;
}

/**
 * Tells the calls of this host what is heard in them. The rules of dead air are applied in the same step of the call's state;
 * what follows from them any api does. A session has a call when its profile has dead-air settings, from when both its agent
 * and its caller are there; the call goes with the session.
 */
export class CallFeed {
  readonly #options: Options;
  readonly #ears = new WeakMap<AgentRun, Ear>();

  constructor(options: Options) {
    this.#options = options;
  }

  /**
   * What the agent has reported, in order. Settles when the call has it: only then does it count as read, so that whoever
   * adopts the agent reads it once more if we die in between. Costs nothing where no silence is watched. Never rejects.
   */
  async hear(run: AgentRun, heard: readonly CallEvent[]): Promise<void> {
    if (heard.length === 0) return;
    const ear = this.#of(run);
    // Perhaps it is a phone call, and only nobody has said so yet.
    for (const event of heard) remember(ear, event);
    if (!isWatched(run)) return;
    if (run.session.callerJoinedAt === undefined) this.#options.onSound(run);
    ear.hasReported = true;
    await this.#inTurn(run, async () => {
      if (ear.call === 'untold') await this.#open(run);
      if (ear.call === 'open') await this.#tell(run, heard);
    });
  }

  /** Its session has another state: perhaps its call begins, or its caller has gone, or come back. Returns at once. */
  look(run: AgentRun): void {
    if (!hasBothSides(run)) return;
    const ear = this.#of(run);
    if (isPhoneCall(run.session)) {
      if (ear.call === 'unknown' || ear.callId !== run.session.callId) this.#joinPhone(run, ear);
      return;
    }
    const isAway = run.session.callerLeftAt !== undefined;
    if (ear.call !== 'unknown') {
      if (ear.isCallerAway !== isAway) this.#tellInTurn(run, this.#callerIs(run, isAway));
    } else if (run.profile.deadAirSettings === undefined) {
      this.#closeForgotten(run);
    } else {
      ear.call = 'opening';
      void this.#inTurn(run, () => this.#open(run));
    }
  }

  /** Redis may have lost what it knew of the call. Returns at once. */
  lookAgain(run: AgentRun): void {
    if (!isWatched(run)) return;
    this.#of(run).call = 'unknown';
    this.look(run);
  }

  /** Another agent is on its way into a call: what the one before it did is over. Returns at once. */
  agentStarts(run: AgentRun): void {
    if (run.ref.generation === 1 || !isWatched(run)) return;
    const at = this.#now();
    this.#tellInTurn(run, [
      { kind: 'agent_changed', at },
      // What began no later than the change was the old one's.
      { kind: 'work_started', id: AGENT_STARTING, at: at + 1 },
    ]);
  }

  /** It is there. Returns at once. */
  agentServes(run: AgentRun): void {
    this.look(run);
    if (run.ref.generation === 1 || !isWatched(run)) return;
    this.#tellInTurn(run, [{ kind: 'work_ended', id: AGENT_STARTING, at: this.#now() + 1 }]);
  }

  /** A call that is there already stays as it is; that it has begun was not told if we died just then. */
  async #open(run: AgentRun): Promise<void> {
    const { redis, leaving } = this.#options;
    const { id, profile, session } = run;
    if (!(await this.#isToldOf(run))) {
      this.#of(run).call = 'untold';
      return;
    }
    this.#of(run).call = 'opening';
    const at = this.#now();
    const wish = {
      callId: id,
      sessionId: id,
      medium: 'livekit',
      state: begin(at, 'livekit'),
      settings: profile.deadAirSettings ?? {},
      dueAt: undefined,
    } as const;
    const answer = await untilAnswered(() => redis.calls.open(wish), leaving);
    const ear = this.#of(run);
    if (answer.status === 'session_over') ear.call = 'none';
    if (answer.status === 'taken') this.#join(ear, answer.by);
    if (ear.call !== 'opening') return;
    ear.call = 'open';
    this.#options.onOpen(run);
    const away = this.#callerIs(run, session.callerLeftAt !== undefined);
    await this.#tell(run, [{ kind: 'call_started', at }, ...ear.ongoing.values(), ...away]);
  }

  /** An agent that reports nothing may be talking all the time. Of one that is adopted its call tells that it reports. */
  async #isToldOf(run: AgentRun): Promise<boolean> {
    if (this.#of(run).hasReported || run.profile.events === 'room') return true;
    const { redis, leaving } = this.#options;
    const call = await untilAnswered(() => redis.calls.read(run.id), leaving);
    return ((call?.state as CallState | undefined)?.startedAt ?? 0) > 0;
  }

  async #tell(run: AgentRun, events: readonly CallEvent[]): Promise<void> {
    const { redis, leaving } = this.#options;
    const [confirms, ...others] = events.flatMap((event) =>
      event.kind === 'playback_started' || event.kind === 'playback_ended' ? [event.id] : [],
    );
    const { callId } = this.#of(run);
    for (const id of others) await untilAnswered(() => redis.calls.confirm(callId, id), leaving);
    const { status } = await untilAnswered(
      () => redis.calls.change(callId, reducerOf(events), { confirms }),
      leaving,
    );
    if (status === 'not_found' && this.#of(run).call === 'open') this.lookAgain(run);
  }

  /** Its profile has no such settings any more, so nobody would hear that somebody speaks. */
  #closeForgotten(run: AgentRun): void {
    const { redis, leaving } = this.#options;
    this.#of(run).call = 'none';
    void this.#inTurn(run, () => untilAnswered(() => redis.calls.close(run.id), leaving));
  }

  #joinPhone(run: AgentRun, ear: Ear): void {
    ear.callId = run.session.callId ?? ear.callId;
    ear.call = 'opening';
    void this.#inTurn(run, () => this.#openPhone(run, ear));
  }

  /** It is there, unless Redis has lost it: then it begins anew, answered as it was, so that it is watched and hung up. */
  async #openPhone(run: AgentRun, ear: Ear): Promise<void> {
    const { redis, leaving } = this.#options;
    const { id, profile, session } = run;
    const at = this.#now();
    const wish = {
      callId: ear.callId,
      sessionId: id,
      medium: 'phone',
      state: beginPhone(at),
      settings: profile.deadAirSettings ?? {},
      facts: { room: session.roomName, answeredAt: String(at) },
      dueAt: undefined,
    } as const;
    const answer = await untilAnswered(() => redis.calls.open(wish), leaving);
    if (answer.status === 'session_over') ear.call = 'none';
    if (ear.call !== 'opening') return;
    this.#join(ear, answer.status === 'taken' ? answer.by : ear.callId);
    this.#options.onOpen(run);
    const begun: CallEvent[] = answer.status === 'opened' ? [{ kind: 'call_started', at }] : [];
    // The call was opened before its first agent was there, and what that one does already is still to be told.
    const arrived: CallEvent = { kind: 'work_ended', id: AGENT_STARTING, at };
    await this.#tell(run, [...begun, ...ear.ongoing.values(), arrived]);
  }

  /** What begins and ends a phone call, and who is there, the phone tells. */
  #join(ear: Ear, callId = ear.callId): void {
    ear.callId = callId;
    ear.call = 'open';
  }

  /** One who leaves in the middle of a word has ended it, whether anybody tells so or not. */
  #callerIs(run: AgentRun, isAway: boolean): CallEvent[] {
    const ear = this.#of(run);
    ear.isCallerAway = isAway;
    const at = this.#now();
    if (!isAway) return [{ kind: 'work_ended', id: CALLER_AWAY, at }];
    const silent: CallEvent = { kind: 'caller_speaking', active: false, at };
    remember(ear, silent);
    return [silent, { kind: 'work_started', id: CALLER_AWAY, at }];
  }

  #tellInTurn(run: AgentRun, events: readonly CallEvent[]): void {
    void this.#inTurn(run, () => this.#tell(run, events));
  }

  /** Never rejects: what goes wrong with the silence of a call must not touch the call. */
  #inTurn(run: AgentRun, work: () => Promise<void>): Promise<void> {
    const ear = this.#of(run);
    ear.turn = ear.turn.then(work).catch((error: unknown) => this.#report(run, error));
    return ear.turn;
  }

  #of(run: AgentRun): Ear {
    const known = this.#ears.get(run);
    if (known !== undefined) return known;
    const ear: Ear = {
      callId: run.session.callId ?? run.id,
      call: 'unknown',
      hasReported: false,
      isCallerAway: false,
      ongoing: new Map(),
      turn: Promise.resolve(),
    };
    this.#ears.set(run, ear);
    return ear;
  }

  #now(): number {
    return Math.round(this.#options.redis.clock.now());
  }

  #report(run: AgentRun, error: unknown): void {
    if ((error as Error).name === 'AbortError') return;
    this.#options.onError(run, error);
  }
}

function remember({ ongoing }: Ear, event: CallEvent): void {
  const known = ongoingOf(event);
  if (known?.active === true) ongoing.set(known.name, event);
  if (known?.active === false) ongoing.delete(known.name);
}

/** The end of work that is not known to run is no news: the silence would count from it. */
function reducerOf(events: readonly CallEvent[]): ReduceCall {
  return (call) => {
    const { work } = call.state as CallState;
    const begun = new Set(Object.keys(work.open));
    for (const event of events) if (event.kind === 'work_started') begun.add(event.id);
    return callReducer(...events.filter((it) => it.kind !== 'work_ended' || begun.has(it.id)))(call);
  };
}

/** Silence is watched where the profile says how, and in every phone call. */
function isWatched(run: AgentRun): boolean {
  return run.profile.deadAirSettings !== undefined || isPhoneCall(run.session);
}

function hasBothSides(run: AgentRun): boolean {
  const { phase, session } = run;
  if (phase !== 'serving' || session.owner !== 'caller' || session.status !== 'ready') return false;
  return session.callerJoinedAt !== undefined || isPhoneCall(run.session);
}
