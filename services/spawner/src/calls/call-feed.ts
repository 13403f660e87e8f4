import { AGENT_STARTING, type CallEvent, callReducer } from '@greenroom/dead-air';
import type { CallRecord, RedisSchema, ReduceCall } from '@greenroom/redis-schema';
import type { AgentRun } from '../agent-run.js';
import type { Sounds } from '../room-ear/room-sounds.js';
import { untilAnswered } from '../until-answered.js';
import { Ear } from './ear.js';
import { listenLater, listenNow } from './listen-later.js';
import { beginningOf, callOf, hasBegun, hasBothSides, mayBeToldOf } from './open-call.js';
import { isPhoneCall } from './phone-call.js';
import {
  type Place,
  reduceHeard,
  reduceMissed,
  reduceOverheard,
  reduceReports,
  reduceUnheard,
} from './reduce-heard.js';
import { hasMissed, isAgentTelling, isUnheardAtFirst, isWatched, needsListener } from './who-hears.js';

interface Options {
  readonly redis: Pick<RedisSchema, 'calls' | 'clock'>;
  readonly host: string;
  readonly leaving: AbortSignal;
  /** Somebody is heard in a session of which nobody has seen the caller yet. */
  readonly onSound: (run: AgentRun) => void;
  /** Somebody is to listen in its room from now on. */
  readonly listen: (run: AgentRun) => void;
  readonly isListenedTo: (run: AgentRun) => boolean;
  /** A call was not told what happened in it. */
  readonly onError: (run: AgentRun, error: unknown) => void;
}

/**
 * Tells the calls of this host what is heard in them: what agents report, and, where they do not, what somebody hears who
 * listens in their rooms. The rules of dead air are applied in the same step of the call's state; what follows from them any
 * api does. A session has a call when its profile has dead-air settings, from when both its agent and its caller are there;
 * the call goes with the session.
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
  async hear(run: AgentRun, heard: readonly CallEvent[], place: Place): Promise<void> {
    if (heard.length === 0) return;
    const ear = this.#of(run);
    // Perhaps it is a phone call, and only nobody has said so yet.
    ear.hear(heard);
    if (!isWatched(run)) return;
    if (run.session.callerJoinedAt === undefined) this.#options.onSound(run);
    await this.#inTurn(run, async () => {
      if (ear.call === 'untold') await this.#open(run);
      if (ear.call !== 'open') return;
      // Whoever was here before us may have begun it.
      const isSure = isPhoneCall(run.session) || undefined;
      const isTelling = run.profile.events === 'room' ? [] : ear.endUnheard(this.#now(), isSure);
      const { launch } = run.ref;
      await this.#tell(run, reduceReports(heard, { ...place, launch }, isTelling), heard);
    });
    listenLater(run, ear, this.#options.listen);
  }

  /** Who speaks, as it is heard in the room. Returns at once. */
  overhear(run: AgentRun, { agent, caller }: Sounds): void {
    const at = this.#now();
    const sounds: CallEvent[] = [
      { kind: 'agent_speaking', active: agent, at },
      { kind: 'caller_speaking', active: caller, at },
    ];
    const ear = this.#of(run);
    for (const sound of sounds) ear.remember(sound);
    ear.overheard.note(caller, at, (from, to) => {
      if (ear.call === 'open' && hasMissed(run, ear, from))
        void this.#inTurn(run, () => this.#tell(run, reduceMissed(to)));
    });
    void this.#inTurn(run, async () => {
      if (ear.call === 'open')
        await this.#tell(run, reduceOverheard([...sounds, ...ear.endUnheard(at, true)]));
    });
  }

  /** Nobody listens in the room any more, for a while. Returns at once. */
  loseRoom(run: AgentRun): void {
    const ear = this.#of(run);
    if (needsListener(run, ear)) this.#tellInTurn(run, ear.beginUnheard(this.#now()));
  }

  /** Its session has another state: perhaps its call begins, or its caller has gone, or come back. Returns at once. */
  look(run: AgentRun): void {
    if (!hasBothSides(run)) return;
    const ear = this.#of(run);
    const isPhone = isPhoneCall(run.session);
    const isAnother = isPhone && ear.callId !== run.session.callId;
    if (ear.call !== 'unknown' && !isAnother) {
      const isAway = run.session.callerLeftAt !== undefined;
      if (!isPhone && ear.isCallerAway !== isAway) this.#tellInTurn(run, ear.callerIs(run, this.#now()));
    } else if (!isWatched(run)) {
      this.#closeForgotten(run);
    } else {
      ear.callId = run.session.callId ?? ear.callId;
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

  /**
   * The time of a call has come to be ended, or to get another agent. That is decided by us, who hear it, and only when all
   * that was said until now has been told: nobody else could know. Asked again until it is done. Never rejects.
   */
  async decide(run: AgentRun): Promise<void> {
    const ear = this.#of(run);
    if (ear.isDeciding) return;
    ear.isDeciding = true;
    try {
      if ((await run.output?.catchUp()) === true) await this.#inTurn(run, () => this.#actIfHeard(run));
    } finally {
      ear.isDeciding = false;
    }
  }

  async #actIfHeard(run: AgentRun): Promise<void> {
    const { redis, host, isListenedTo, listen } = this.#options;
    const ear = this.#of(run);
    if (ear.call !== 'open') return;
    const at = this.#now();
    if (!isAgentTelling(run, ear, at) && !isListenedTo(run)) return listenNow(run, ear, listen);
    await redis.calls.change(ear.callId, callReducer({ kind: 'time', at }), { hearer: host });
  }

  async #open(run: AgentRun): Promise<void> {
    const { redis, leaving, isListenedTo, listen } = this.#options;
    const ear = this.#of(run);
    if (!mayBeToldOf(run, ear) && !hasBegun(await this.#read(run.id))) {
      ear.call = 'untold';
      return;
    }
    ear.call = 'opening';
    const at = this.#now();
    const answer = await untilAnswered(() => redis.calls.open(callOf(run, ear, at)), leaving);
    if (answer.status === 'session_over') {
      ear.call = 'none';
      return;
    }
    // Told meanwhile that Redis has lost it, it is opened again.
    if (ear.call !== 'opening') return;
    ear.call = 'open';
    if (answer.status === 'taken') ear.callId = answer.by;
    const isPhone = isPhoneCall(run.session);
    if (isPhone && answer.status !== 'opened') ear.link = (await this.#read(ear.callId))?.facts['link'];
    const isUnheard = (isPhone || answer.status === 'opened') && isUnheardAtFirst(run, ear);
    const begun = beginningOf(run, ear, answer.status, at);
    const unheard = isUnheard ? ear.beginUnheard(at) : [];
    if (isPhone) await this.#tell(run, reduceUnheard(run.ref.launch, unheard));
    await this.#tell(run, reduceHeard([...begun, ...ear.ongoing.values(), ...(isPhone ? [] : unheard)]));
    // Of a call that is taken over nobody knows what its agent would have reported. Who listens already says again what is heard.
    const isTakenOver = !isPhone && answer.status === 'exists' && needsListener(run, ear);
    ear.isFollowed = false;
    listenLater(run, ear, listen, isTakenOver || isListenedTo(run) ? 0 : undefined);
  }

  #read(callId: string): Promise<CallRecord | undefined> {
    const { redis, leaving } = this.#options;
    return untilAnswered(() => redis.calls.read(callId), leaving);
  }

  /** @param reports what of it may prove that a command has arrived */
  async #tell(run: AgentRun, reduce: ReduceCall, reports: readonly CallEvent[] = []): Promise<void> {
    const { redis, leaving } = this.#options;
    const [confirms, ...others] = reports.flatMap((event) =>
      event.kind === 'playback_started' || event.kind === 'playback_ended' ? [event.id] : [],
    );
    const { callId } = this.#of(run);
    for (const id of others) await untilAnswered(() => redis.calls.confirm(callId, id), leaving);
    const { status } = await untilAnswered(() => redis.calls.change(callId, reduce, { confirms }), leaving);
    if (status === 'not_found' && this.#of(run).call === 'open') this.lookAgain(run);
  }

  /** Its profile has no such settings any more, so nobody would hear that somebody speaks. */
  #closeForgotten(run: AgentRun): void {
    const { redis, leaving } = this.#options;
    this.#of(run).call = 'none';
    void this.#inTurn(run, () => untilAnswered(() => redis.calls.close(run.id), leaving));
  }

  #tellInTurn(run: AgentRun, events: readonly CallEvent[]): void {
    void this.#inTurn(run, () => this.#tell(run, reduceHeard(events)));
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
    const ear = new Ear(run);
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
