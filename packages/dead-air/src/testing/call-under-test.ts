import type { DeadAirSettings } from '@greenroom/contracts';
import { begin, type CallMedium, type CallState } from '../state.js';
import type { CallAction, CallEvent, CallStep } from '../events.js';
import { type ResolvedDeadAirSettings, resolveSettings } from '../settings.js';
import { transition } from '../transition.js';

/** The moment that tests call 0. */
export const ZERO = 1_800_000_000_000;

type Untimed<Event> = Event extends CallEvent ? Omit<Event, 'at'> : never;

interface Options {
  settings?: DeadAirSettings;
  medium?: CallMedium;
  /** How it is told that a line of ours is spoken; `nothing`: it is not. */
  heardBy?: 'playback' | 'agent_speaking' | 'nothing';
  lineMs?: number;
}

/** A call with a clock of its own: whatever is due happens when it is due, and lines are spoken. Times count from ZERO. */
export class CallUnderTest {
  readonly done: { at: number; action: CallAction }[] = [];
  readonly steps: { at: number; step: CallStep }[] = [];
  state: CallState;
  settings: ResolvedDeadAirSettings;
  dueAt: number | null = null;
  /** When something last happened. */
  now = -10_000;
  private readonly medium: CallMedium;
  private readonly heardBy: NonNullable<Options['heardBy']>;
  private readonly lineMs: number;
  private coming: CallEvent[] = [];

  constructor({ settings = {}, medium = 'phone', heardBy = 'playback', lineMs = 1000 }: Options = {}) {
    this.medium = medium;
    this.heardBy = heardBy;
    this.lineMs = lineMs;
    this.settings = resolveSettings(settings, medium);
    this.state = begin(ZERO + this.now, medium);
  }

  /** Runs to that time, and then tells the event. */
  tell(at: number, event: Untimed<CallEvent>): void {
    this.runTo(at);
    this.take({ ...event, at: ZERO + at }, ZERO + at);
  }

  /** An event that arrives now and tells of an earlier time. */
  tellLate(now: number, at: number, event: Untimed<CallEvent>): void {
    this.runTo(now);
    this.take({ ...event, at: ZERO + at }, ZERO + now);
  }

  play(from: number, to: number): void {
    const id = `playback-${from}`;
    this.tell(from, { kind: 'playback_started', id });
    this.tell(to, { kind: 'playback_ended', id });
  }

  change(at: number, settings: DeadAirSettings): void {
    this.runTo(at);
    this.settings = resolveSettings(settings, this.medium);
    this.tell(at, { kind: 'settings_changed' });
  }

  runTo(time: number): void {
    for (let event = this.nextEvent(); event && event.at <= ZERO + time; event = this.nextEvent()) {
      this.coming = this.coming.filter((other) => other !== event);
      this.take(event, event.at);
    }
  }

  /** What was said and ended: [seconds, what, which]. */
  timeline(): [number, string, string][] {
    return this.done.flatMap(({ at, action }): [number, string, string][] => {
      const seconds = at / 1000;
      if (action.kind === 'say') return [[seconds, 'say', action.text]];
      if (action.kind === 'end') return [[seconds, 'end', action.reason]];
      return action.kind === 'restart_agent' ? [[seconds, 'restart_agent', action.commandId]] : [];
    });
  }

  private nextEvent(): CallEvent | undefined {
    const [first] = this.coming.sort((a, b) => a.at - b.at);
    if (this.dueAt !== null && (first === undefined || this.dueAt < first.at)) {
      return { kind: 'time', at: Math.max(this.dueAt, ZERO + this.now) };
    }
    return first;
  }

  private take(event: CallEvent, now: number): void {
    const { state, actions, steps, dueAt } = transition(this.state, event, this.settings);
    this.state = state;
    this.dueAt = dueAt;
    this.now = now - ZERO;
    for (const action of actions) {
      this.done.push({ at: now - ZERO, action });
      if (action.kind === 'say') this.speak(action.commandId, now);
    }
    this.steps.push(...steps.map((step) => ({ at: now - ZERO, step })));
  }

  private speak(commandId: string, now: number): void {
    const end = now + this.lineMs;
    if (this.heardBy === 'playback') {
      this.coming.push(
        { kind: 'playback_started', id: commandId, commandId, at: now },
        { kind: 'playback_ended', id: commandId, commandId, at: end },
      );
    }
    if (this.heardBy === 'agent_speaking') {
      this.coming.push(
        { kind: 'agent_speaking', active: true, at: now },
        { kind: 'agent_speaking', active: false, at: end },
      );
    }
  }
}
