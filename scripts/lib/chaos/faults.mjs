import { setTimeout as sleep } from 'node:timers/promises';

/** How long each may last, in seconds, before it is healed. Some are longer than a host may be silent (15 s). */
const KINDS = {
  spawner: [
    { kind: 'kill', seconds: [0.1, 12] },
    { kind: 'leave', seconds: [0.1, 6] },
    { kind: 'drain', seconds: [2, 15] },
    { kind: 'freeze', seconds: [1, 28] },
    { kind: 'drop', seconds: [1, 28] },
    { kind: 'swallow', seconds: [1, 28] },
  ],
  api: [
    { kind: 'kill', seconds: [0.1, 5] },
    { kind: 'leave', seconds: [0.1, 3] },
    { kind: 'freeze', seconds: [0.5, 8] },
    { kind: 'drop', seconds: [0.5, 8] },
    { kind: 'swallow', seconds: [0.5, 8] },
  ],
};

const PAUSE_SECONDS = { spawner: [3, 20], api: [3, 15] };

const STRIKE = {
  kill: (it) => it.kill(),
  leave: (it) => it.leave(),
  drain: (it, ask) => ask('POST', `/api/hosts/${it.hostId}/drain`),
  freeze: (it) => it.freeze(),
  drop: (it) => it.network.drop(),
  swallow: (it) => it.network.swallow(),
};

const HEAL = {
  kill: (it) => it.start(),
  leave: (it) => it.start(),
  drain: (it, ask) => ask('DELETE', `/api/hosts/${it.hostId}/drain`),
  freeze: (it) => it.thaw(),
  drop: (it) => it.network.heal(),
  swallow: (it) => it.network.heal(),
};

/** What will happen to one instance within `seconds`: `{kind, at, until}`, in seconds from the beginning. */
export function planFaults(instance, seconds, random) {
  const draws = random.fork(`faults of ${instance.name}`);
  const plan = [];
  for (let at = draws.between(1, 8); at < seconds - 1; ) {
    const { kind, seconds: length } = draws.pick(KINDS[instance.service]);
    const until = Math.min(seconds, at + draws.between(...length));
    plan.push({ kind, at, until });
    at = until + draws.between(...PAUSE_SECONDS[instance.service]);
  }
  return plan;
}

/**
 * Carries a plan out.
 * @param ask a request of an admin to any api that answers
 * @returns `{target, kind, from, to}` of each fault, as milliseconds since 1970
 */
export async function strike(instance, plan, { startedAt, say, ask }) {
  const log = [];
  const untilSecond = (second) => sleep(Math.max(0, startedAt + second * 1000 - performance.now()));
  for (const { kind, at, until } of plan) {
    await untilSecond(at);
    const from = Date.now();
    say(`${instance.name}: ${kind} for ${(until - at).toFixed(1)} s`);
    await STRIKE[kind](instance, ask);
    await untilSecond(until);
    await HEAL[kind](instance, ask);
    say(`${instance.name}: healed of ${kind}`);
    log.push({ target: instance.name, kind, from, to: Date.now() });
  }
  return log;
}
