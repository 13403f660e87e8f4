import type { LaunchRef, StartArguments } from '../index.js';
import { addHost, claimSession, HOST, PROCESS, refill, schema, startArguments } from './steps.js';

/** A host that wants some warm agents. */
export function addWarmHost(host = HOST, poolTarget = 3): Promise<void> {
  return addHost(host, { poolTarget });
}

/** A start of a client without a key: who it is, nobody knows. */
export function startArgs(overrides: Partial<StartArguments> = {}): StartArguments {
  return startArguments({ trusted: false, ...overrides });
}

/** @returns the ids that were listed, of so many */
export async function planRefill(candidates: number): Promise<string[]> {
  return (await refill(candidates)).created;
}

export async function launchNext(host = HOST) {
  const session = await claimSession(host);
  const ref: LaunchRef = { sessionId: session.id, generation: session.generation, launch: session.launch };
  const committed = await schema.sessions.commitLaunch(ref, PROCESS);
  if (committed.status !== 'ok') throw new Error(committed.status);
  const ready = await schema.sessions.markReady(ref, 1000);
  return { session, ref, ready };
}

export async function warmUp(count: number): Promise<string[]> {
  await planRefill(count);
  const ids: string[] = [];
  for (let i = 0; i < count; i += 1) ids.push((await launchNext()).session.id);
  return ids;
}
