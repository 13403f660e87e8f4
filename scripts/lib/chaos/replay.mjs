import { LEGAL_TRANSITIONS } from '../../../packages/contracts/dist/index.js';

/** States in which a caller's session counts against MAX_SESSIONS. */
const COUNTED = ['starting', 'ready', 'restarting', 'ending'];
/** A host that publishes what it has after a loss of data: then, and only then, a session may come out of nothing. */
const REVIVING_STEPS = ['publish-launch'];

/**
 * Goes through the steps of state in the order in which Redis took them, and says what must never have happened.
 * @param trace entries as `commands/includes/trace.lua` leaves them
 * @returns `{rule, id, text}` of each violation
 */
export function replay(trace, { maxSessions }) {
  const world = { known: new Map(), launches: new Map(), gone: new Set(), given: new Set() };
  const violations = [];
  for (const entry of trace) {
    for (const { check, rule } of CHECKS) {
      const text = check(entry, world, { maxSessions });
      if (text) violations.push({ rule, id: entry.id, text: `${entry.step}: ${text}` });
    }
    remember(entry, world);
  }
  return violations;
}

function remember({ id, after }, { known, gone }) {
  if (after.status !== undefined) return known.set(id, after);
  gone.add(id);
  return known.delete(id);
}

const CHECKS = [
  { rule: 'changed outside of a step', check: checkContinuity },
  { rule: 'illegal transition', check: checkTransition },
  { rule: 'agent given twice', check: checkGiven },
  { rule: 'generation', check: checkGeneration },
  { rule: 'launch of two sessions', check: checkLaunch },
  { rule: 'doubled session', check: checkUser },
  { rule: 'capacity exceeded', check: checkCapacity },
  { rule: 'count differs', check: checkCounts },
];

const FACTS = ['status', 'owner', 'generation', 'launch', 'host'];

/** A failed start expires after five minutes; nothing else changes by itself. */
function checkContinuity({ id, before }, { known }) {
  const last = known.get(id) ?? {};
  if (last.status === 'error' && before.status === undefined) return undefined;
  const differing = FACTS.filter((name) => last[name] !== before[name]);
  return differing.length > 0 && `it had ${show(last)}, and then ${show(before)}`;
}

/** A step may take two in one: an unclaimed session is ending and gone in the same instant. */
function checkTransition({ step, id, before, after }, { gone }) {
  const [from, to] = [before.status, after.status ?? 'gone'];
  if (from === to) return undefined;
  if (from === undefined) {
    if (gone.has(id) && !REVIVING_STEPS.includes(step)) return `it is ${to} after it was gone`;
    return undefined;
  }
  const legal = LEGAL_TRANSITIONS[from];
  if (legal.includes(to)) return undefined;
  return !legal.some((between) => LEGAL_TRANSITIONS[between].includes(to)) && `${from} -> ${to}`;
}

function checkGiven({ id, before, after }, { given }) {
  if (before.owner === 'caller' && after.owner === 'pool') return 'a caller lost its agent to the pool';
  if (before.owner === 'caller' && after.owner === 'caller' && before.userKey !== after.userKey) {
    return `${before.userKey} had it, and then ${after.userKey}`;
  }
  if (before.owner !== 'pool' || after.owner !== 'caller') return undefined;
  if (before.status !== 'pooled') return `one that was ${before.status} was given to a caller`;
  if (given.has(id)) return 'it was given to a caller before';
  given.add(id);
  return undefined;
}

function checkGeneration({ before, after }) {
  const [from, to] = [Number(before.generation ?? 0), Number(after.generation ?? Infinity)];
  if (to < from) return `${from} -> ${to}`;
  const isNew = after.launch !== undefined && after.launch !== before.launch;
  return isNew && to <= from && `a new launch with the old generation ${to}`;
}

function checkLaunch({ id, after }, { launches }) {
  if (after.launch === undefined) return undefined;
  const other = launches.get(after.launch) ?? id;
  launches.set(after.launch, id);
  return other !== id && `${after.launch} is that of ${other}`;
}

function isLiveCaller({ status, owner }) {
  return owner === 'caller' && ['queued', 'starting', 'ready', 'restarting'].includes(status);
}

function checkUser({ id, after }, { known }) {
  if (after.userKey === undefined || !isLiveCaller(after)) return undefined;
  for (const [other, session] of known) {
    if (other !== id && session.userKey === after.userKey && isLiveCaller(session)) {
      return `the user ${after.userKey} has ${other} too`;
    }
  }
  return undefined;
}

function checkCapacity({ before, after, callers, host }, _world, { maxSessions }) {
  if (callers > maxSessions) return `${callers} callers, at most ${maxSessions}`;
  if (after.host === undefined || after.host === before.host) return undefined;
  const { sessions, kills, capacity } = host;
  return (
    sessions + kills > capacity &&
    `${sessions} sessions and ${kills} to kill on ${after.host}, at most ${capacity}`
  );
}

/** What the sets said at the end of the step, against all that was seen until then. */
function checkCounts({ id, before, after, callers, host, left }, { known }) {
  if (left > 0) return undefined;
  const now = new Map(known).set(id, after);
  const all = [...now.values()];
  const counted = all.filter(({ status, owner }) => owner === 'caller' && COUNTED.includes(status)).length;
  if (counted !== callers) return `${callers} callers by the set, ${counted} by their hashes`;
  const home = after.host ?? before.host;
  if (home === undefined) return undefined;
  const there = all.filter((session) => session.host === home).length;
  return (
    there !== host.sessions && `${host.sessions} sessions on ${home} by the set, ${there} by their hashes`
  );
}

function show({ status = 'nothing', owner, generation, launch, host }) {
  return [status, owner, generation && `g${generation}`, launch, host].filter(Boolean).join(' ');
}

/** What happened to a session, a line for each step: what to read first when a verdict names it. */
export function storyOf(id, trace) {
  return trace
    .filter((entry) => entry.id === id)
    .map(({ at, step, before, after, by, reason }) => {
      const time = new Date(at).toISOString().slice(11, 23);
      return `${time} ${step}${by ? ` by ${by}` : ''}: ${show(before)} -> ${show(after)}${reason ? ` (${reason})` : ''}`;
    });
}
