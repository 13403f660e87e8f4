import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentRun } from '../agent-run.js';
import type { ProcessExit } from '../process/index.js';
import type { RoomService } from '../rooms/room-service.js';
import type { ReadinessRule } from './profile.js';

export type ReadinessOutcome =
  | { kind: 'ready'; by: Exclude<ReadinessRule, 'any'> }
  | { kind: 'exited'; exit: ProcessExit }
  | { kind: 'timeout' }
  | { kind: 'given_way' };

/** LiveKit pushes presence by webhook only where one is set up; until then a starting agent's room is looked at. */
const PRESENCE_POLL_MS = 100;

/** Waits for the first sign of readiness that the profile accepts, or for the reason why there will be none. */
export async function awaitReady(
  run: AgentRun,
  rooms: RoomService,
  timeoutMs: number,
): Promise<ReadinessOutcome> {
  const { exited, output } = run;
  if (exited === undefined || output === undefined)
    throw new Error('an agent without a process is never ready');
  const done = new AbortController();
  const over = AbortSignal.any([done.signal, run.giveWay.signal]);
  const rule = run.profile.ready;
  const accepts = (sign: ReadinessRule): boolean => rule === 'any' || rule === sign;
  const outcomes: Promise<ReadinessOutcome>[] = [
    exited.then((exit) => ({ kind: 'exited', exit })),
    sleep(Math.max(0, timeoutMs), { kind: 'timeout' as const }, { signal: over }),
    aborted(run.giveWay.signal),
  ];
  if (accepts('pattern')) outcomes.push(output.patternSeen.then(() => ({ kind: 'ready', by: 'pattern' })));
  if (accepts('event')) outcomes.push(output.readySaid.then(() => ({ kind: 'ready', by: 'event' })));
  if (accepts('room')) outcomes.push(awaitPresence(run, rooms, over));
  try {
    return await Promise.race(outcomes.map(ignoreAbort));
  } finally {
    done.abort();
  }
}

async function awaitPresence(
  run: AgentRun,
  rooms: RoomService,
  over: AbortSignal,
): Promise<ReadinessOutcome> {
  const { roomName } = run.session;
  for (;;) {
    over.throwIfAborted();
    // What LiveKit cannot tell right now is unknown: the time limit decides.
    if (await rooms.hasActiveAgent(roomName, run.ref).catch(() => false))
      return { kind: 'ready', by: 'room' };
    await sleep(PRESENCE_POLL_MS, undefined, { signal: over });
  }
}

function aborted(signal: AbortSignal): Promise<ReadinessOutcome> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve({ kind: 'given_way' });
    signal.addEventListener('abort', () => resolve({ kind: 'given_way' }), { once: true });
  });
}

/** An aborted wait loses the race by never ending it. */
function ignoreAbort(outcome: Promise<ReadinessOutcome>): Promise<ReadinessOutcome> {
  return outcome.catch((error: unknown) => {
    if ((error as Error).name === 'AbortError') return new Promise<never>(() => undefined);
    throw error;
  });
}
