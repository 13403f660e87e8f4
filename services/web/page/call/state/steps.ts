import type { Call } from './call-state.js';

/** One step on the way to a call. */
export interface Step {
  readonly id: 'asked' | 'line' | 'starting' | 'joining' | 'ready';
  readonly label: string;
  readonly state: 'todo' | 'now' | 'done' | 'failed';
  /** How long it took, or takes so far; undefined before it begins. */
  readonly ms: number | undefined;
}

/** The way to this call, with what it took. `ready` has the time of all. */
export function stepsOf(call: Call, now: number): Step[] {
  const { askedAt, answeredAt, admittedAt, agentHereAt, readyAt, failedAt } = call.marks;
  const hasWaited = call.line !== undefined || admittedAt !== undefined;
  const begunAt = hasWaited ? admittedAt : answeredAt;
  const startedAt = agentHereAt ?? readyAt;
  const ways: [Step['id'], string, from: number | undefined, until: number | undefined][] = [
    ['asked', 'Asked for a call', askedAt, answeredAt],
    ['line', lineLabel(call), answeredAt, admittedAt],
    ['starting', call.isWarm ? 'An agent was waiting' : 'Starting an agent', begunAt, startedAt],
    ['joining', 'The agent joins', startedAt, readyAt],
    ['ready', 'Ready to talk', readyAt === undefined ? undefined : askedAt, readyAt],
  ];
  return ways
    .filter(([id]) => id !== 'line' || hasWaited)
    .map(([id, label, from, until]) => ({
      id,
      label,
      state: stateOf(from, until, failedAt !== undefined),
      ms: from === undefined ? undefined : Math.max(0, (until ?? failedAt ?? now) - from),
    }));
}

/** What happens right now, for who cannot see the list; nothing where something else tells it: a failure speaks for itself. */
export function currentStep(call: Call): string {
  if (call.problem || call.status === 'returning') return '';
  const steps = stepsOf(call, call.marks.askedAt);
  return (steps.find(({ state }) => state === 'now') ?? steps.at(-1))?.label ?? '';
}

function stateOf(from: number | undefined, until: number | undefined, hasFailed: boolean): Step['state'] {
  if (from === undefined) return 'todo';
  if (until !== undefined) return 'done';
  return hasFailed ? 'failed' : 'now';
}

function lineLabel({ line }: Call): string {
  return line ? `In line, number ${line.position}` : 'Waited in line';
}
