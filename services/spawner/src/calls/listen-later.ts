import type { AgentRun } from '../agent-run.js';
import type { Ear } from './ear.js';
import { listenInMs, mayBeListenedTo } from './who-hears.js';

/** Somebody is to listen in its room from now on. */
type Listen = (run: AgentRun) => void;

/** Somebody listens in the room unless the agent reports something first. */
export function listenLater(run: AgentRun, ear: Ear, listen: Listen, inMs = listenInMs(run, ear)): void {
  clearTimeout(ear.listening);
  if (ear.call !== 'open' || ear.isFollowed || !mayBeListenedTo(run, ear)) return;
  if (inMs === 0) return listenNow(run, ear, listen);
  ear.listening = setTimeout(() => listenNow(run, ear, listen), inMs).unref();
}

export function listenNow(run: AgentRun, ear: Ear, listen: Listen): void {
  if (ear.isFollowed || run.phase !== 'serving') return;
  ear.isFollowed = true;
  listen(run);
}
