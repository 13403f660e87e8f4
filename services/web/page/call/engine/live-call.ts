import type {
  DeadAirStreamEvent,
  SessionEndedEvent,
  SessionView,
  StartResponse,
  TranscriptStreamEvent,
} from '@greenroom/contracts';
import { ApiProblem, ask } from '../../shared/ask.js';
import { followEvents, type StreamEvent } from '../../shared/event-stream.js';
import type { CallRequest } from '../state/call-state.js';
import type { StatusWords } from '../state/reduce.js';
import { problemFrom } from '../words/problems.js';
import { Joiner } from './joiner.js';
import { type KeptCall, keptCall } from './kept.js';
import type { OpenRoom, RoomPort } from './room-port.js';
import type { Store } from './store.js';
import { claimCall, type TabClaim } from './tab-claim.js';
import { untilAnswered } from './until-answered.js';

export interface LiveCallOptions {
  readonly store: Store;
  readonly openRoom: OpenRoom;
  /** Of a deployment that wants one. */
  readonly key: string | undefined;
}

/** One call of this tab, from asking for it until it is over or another tab has it. */
export class LiveCall {
  readonly #options: LiveCallOptions;
  readonly #store: Store;
  readonly #joiner: Joiner;
  readonly #gone = new AbortController();
  #kept: KeptCall | undefined;
  #claim: TabClaim | undefined;
  #unfollow: (() => void) | undefined;
  #isEndWanted = false;

  constructor(options: LiveCallOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#joiner = new Joiner({
      store: options.store,
      openRoom: options.openRoom,
      gone: this.#gone.signal,
      onOver: (problem) => this.#finishBy(problem),
    });
    const unsubscribe = options.store.subscribe(() => this.#keepWhatChanged());
    this.#gone.signal.addEventListener('abort', () => unsubscribe());
  }

  get room(): RoomPort | undefined {
    return this.#joiner.room;
  }

  /** @param idempotencyKey the same for an attempt whose answer was lost: it starts nothing twice */
  async start(request: CallRequest, idempotencyKey: string): Promise<void> {
    const askedAt = Date.now();
    this.#store.dispatch({ type: 'asked', request, at: askedAt });
    this.#joiner.prepare();
    let answer: StartResponse;
    try {
      answer = await ask<StartResponse>('/api/session/start', {
        method: 'POST',
        body: withoutEmpty(request),
        key: this.#options.key,
        idempotencyKey,
      });
    } catch (error) {
      if (!this.#isEndWanted) this.#fail(asProblem(error));
      return;
    }
    const { sessionId } = answer;
    if (this.#isEndWanted || this.#gone.signal.aborted) return this.#askForEnd(sessionId);
    this.#kept = { sessionId, claim: sessionId, request, askedAt };
    keptCall.write(this.#kept);
    this.#store.dispatch({ type: 'accepted', answer, at: Date.now() });
    this.#follow();
    if ('token' in answer) this.#joiner.join({ url: answer.livekitUrl, token: answer.token });
    await this.#takeClaim(false);
  }

  #fail(error: ApiProblem): void {
    const at = Date.now();
    this.#store.dispatch({ type: 'failed', problem: problemFrom(error, at), at });
  }

  /** Back into a call that this tab was in before it was loaded anew. */
  async returnTo(kept: KeptCall, isTakeover = false): Promise<void> {
    this.#kept = kept;
    this.#store.dispatch({ type: 'returning', ...withoutUndefined(kept) });
    this.#joiner.prepare();
    if (!(await this.#takeClaim(isTakeover))) return this.#goElsewhere();
    try {
      const view = await untilAnswered(
        () => ask<SessionView>(`/api/session/${kept.sessionId}`),
        this.#gone.signal,
      );
      this.#takeStatus(view);
      this.#follow(kept.firstEventId);
    } catch (error) {
      this.#finishBy(asProblem(error));
    }
  }

  /** The caller hangs up. The page does not wait for the service. */
  end(): void {
    this.#isEndWanted = true;
    const sessionId = this.#kept?.sessionId;
    this.#finish('caller_ended');
    if (sessionId !== undefined) void this.#askForEnd(sessionId);
  }

  /** Nothing of it is shown any more; the call itself is left to the service. */
  leave(): void {
    this.#gone.abort();
    this.#unfollow?.();
    this.#joiner.leave();
    this.#claim?.release();
  }

  async #takeClaim(isTakeover: boolean): Promise<boolean> {
    const claim = await claimCall(this.#kept?.claim ?? '', { isTakeover, onLost: () => this.#goElsewhere() });
    if (this.#gone.signal.aborted) claim?.release();
    this.#claim = claim;
    return claim !== undefined;
  }

  #goElsewhere(): void {
    if (this.#gone.signal.aborted) return;
    this.leave();
    this.#store.dispatch({ type: 'elsewhere' });
  }

  #follow(lastEventId?: string): void {
    if (!this.#kept || this.#gone.signal.aborted) return;
    this.#unfollow = followEvents({
      path: `/api/session/${this.#kept.sessionId}/events`,
      lastEventId,
      onEvent: (event) => this.#takeEvent(event),
      onOver: (problem) => this.#finishBy(problem),
    });
  }

  #takeEvent({ event, id, data }: StreamEvent): void {
    const at = Date.now();
    switch (event) {
      case 'snapshot':
        this.#keep({ firstEventId: id });
        return this.#takeStatus(data as SessionView);
      case 'state':
        return this.#takeStatus(data as StatusWords);
      case 'promoted':
        return this.#moveTo((data as { sessionId: string }).sessionId);
      case 'transcript':
        return this.#store.dispatch({ type: 'said', said: { ...(data as TranscriptStreamEvent), at } });
      case 'dead_air':
        return this.#store.dispatch({ type: 'silence', event: data as DeadAirStreamEvent, at });
      case 'ended': {
        const { endReason, durationMs } = data as SessionEndedEvent;
        return this.#finish(endReason, durationMs);
      }
    }
  }

  #takeStatus(words: StatusWords & { endReason?: string }): void {
    if (words.sessionId !== this.#kept?.sessionId) this.#moveTo(words.sessionId);
    this.#store.dispatch({ type: 'status', event: words, at: Date.now() });
    switch (words.status) {
      case 'starting':
      case 'ready':
      case 'restarting':
        return this.#joiner.join();
      case 'ending':
        return this.#finish(words.endReason);
      case 'error':
        keptCall.clear();
        return this.leave();
      case 'queued':
      case 'pooled':
      case 'gone':
        return undefined;
    }
  }

  /** The turn in line brought a warm agent: the call goes on under its id, to which the first one leads. */
  #moveTo(sessionId: string): void {
    this.#store.dispatch({ type: 'promoted', sessionId });
    this.#keep({ sessionId });
  }

  #finishBy(problem: ApiProblem | undefined): void {
    const { endReason, durationMs } = problem?.body ?? {};
    this.#finish(
      typeof endReason === 'string' ? endReason : undefined,
      typeof durationMs === 'number' ? durationMs : undefined,
    );
  }

  /** The stream is followed on: it may have a better word for the reason. */
  #finish(endReason: string | undefined, durationMs?: number): void {
    keptCall.clear();
    this.#kept = undefined;
    this.#joiner.leave();
    this.#claim?.release();
    if (this.#gone.signal.aborted) return;
    this.#store.dispatch({
      type: 'over',
      endReason,
      at: Date.now(),
      ...(durationMs !== undefined && { durationMs }),
    });
  }

  /** A wish that does not get through is no harm: who is away for long enough has left. */
  async #askForEnd(sessionId: string): Promise<void> {
    const wish = () => ask('/api/session/end', { method: 'POST', body: { sessionId }, keepalive: true });
    await untilAnswered(wish, AbortSignal.timeout(60_000)).catch(() => undefined);
  }

  #keepWhatChanged(): void {
    const state = this.#store.get();
    if (state.screen !== 'call' || !this.#kept) return;
    const { marks, isMuted } = state.call;
    if (marks.readyAt !== this.#kept.talkingSince || isMuted !== (this.#kept.isMuted ?? false))
      this.#keep({ talkingSince: marks.readyAt, isMuted });
  }

  #keep(more: Partial<KeptCall>): void {
    if (!this.#kept) return;
    this.#kept = { ...this.#kept, ...more };
    keptCall.write(this.#kept);
  }
}

function withoutEmpty(request: CallRequest): object {
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== ''));
}

function withoutUndefined({ request, sessionId, askedAt, talkingSince, isMuted = false }: KeptCall) {
  return { request, sessionId, askedAt, isMuted, ...(talkingSince !== undefined && { talkingSince }) };
}

function asProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  return new ApiProblem(String(error), 'internal', 0, undefined, {});
}
