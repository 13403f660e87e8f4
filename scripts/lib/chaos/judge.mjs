import { isPair } from './callers.mjs';
import { replay } from './replay.mjs';

/** A start that has taken this long has no agent and will not get one; an end, that long, does not come to its end. */
const STUCK_MS = 25_000;

/** Ends that a fault of a host explains; every other end needs somebody who asked for it. */
const EXPLAINED_BY_FAULTS = new Set([
  'host_lost',
  'host_drained',
  'no_host',
  'start_failed',
  'agent_crashed',
  'agent_exited',
  'agent_hung',
  'agent_vanished',
  'room_finished',
  'stale',
]);
/** What a caller may be told for as long as it has patience. */
const EXPECTED_REFUSALS = new Set([
  'at_capacity',
  'no_host',
  'recovering',
  'redis_unavailable',
  'livekit_unavailable',
  'profile_failing',
]);
/** Who stands in line and has not been able to ask for this long has left it. */
const LINE_PATIENCE_MS = 25_000;
/** A run in which fewer pairs were made than this part of those it was told to make has not shown what it says. */
const ENOUGH_PAIRS = 0.95;
const ASKED_FOR = new Set(['caller_ended', 'admin_ended']);

/**
 * What is wrong, by all that was seen: what there is (`look`), what the callers were told, the trace, and the faults.
 * @param pairs how many start/end pairs there were to be
 * @returns `{rule, id?, text}` of each violation; none is the verdict that the run wants
 */
export function judge({ facts, callers, pairs, trace, faults, limits }) {
  return [
    ...judgePairs(callers, pairs),
    ...judgeState(facts),
    ...judgeCallers(callers, { facts, trace, faults }),
    ...judgeOwners(callers, facts),
    ...replay(trace, limits),
  ];
}

export function judgePairs(callers, pairs) {
  const made = callers.filter(isPair).length;
  if (made >= pairs * ENOUGH_PAIRS) return [];
  return [{ rule: 'too few pairs', text: `${made} start/end pairs were made, of ${pairs}` }];
}

/** The part that can be looked at again: what is in motion at one look has settled at the next. */
export function judgeState(facts) {
  return [judgeProcesses, judgeSessions, judgeRooms, judgeSets, judgeHealth].flatMap((check) => check(facts));
}

const isWarm = ({ owner }) => owner === 'pool';
const hasAgent = ({ status }) => status === 'ready' || status === 'pooled';

function judgeProcesses({ agents, sessions }) {
  return agents.flatMap(({ pid, sessionId, launch }) => {
    const session = sessions[sessionId];
    if (session === undefined) {
      return sessionId === undefined
        ? []
        : [{ rule: 'agent without a session', id: sessionId, text: `pid ${pid} of ${launch}` }];
    }
    return session.launch === launch
      ? []
      : [
          {
            rule: 'agent without a session',
            id: sessionId,
            text: `pid ${pid} is of ${launch}, not ${session.launch}`,
          },
        ];
  });
}

function judgeSessions({ sessions, agents, at }) {
  const running = new Set(agents.map(({ pid, launch }) => `${pid} ${launch}`));
  return entriesOf(sessions).flatMap(([id, session]) => {
    const { status, agentPid, launch, createdAt, endRequestedAt } = session;
    if (hasAgent(session) && !running.has(`${agentPid} ${launch}`)) {
      return [
        { rule: 'session without an agent', id, text: `${status}, but pid ${agentPid} of ${launch} is gone` },
      ];
    }
    const isStuck =
      (status === 'ending' && at - Number(endRequestedAt) > STUCK_MS) ||
      (!isWarm(session) &&
        ['starting', 'restarting', 'queued'].includes(status) &&
        at - Number(createdAt) > STUCK_MS);
    return isStuck ? [{ rule: 'session without an agent', id, text: `${status} for too long` }] : [];
  });
}

function judgeRooms({ rooms, sessions, sorted }) {
  const wanted = new Map(entriesOf(sessions).map(([id, session]) => [session.roomName, { id, ...session }]));
  const doomed = new Set(sorted['rooms:doomed']);
  const extra = rooms.filter((room) => !wanted.has(room) && !doomed.has(room));
  const missing = [...wanted].filter(([room, session]) => hasAgent(session) && !rooms.includes(room));
  return [
    ...extra.map((room) => ({
      rule: 'room without a session',
      id: room.replace(/^greenroom-/, ''),
      text: room,
    })),
    ...missing.map(([room, { id, status }]) => ({
      rule: 'session without a room',
      id,
      text: `${status}, ${room}`,
    })),
  ];
}

/** A fresh count: each set as it would be if it were made anew from the hashes. */
export function countAnew(sessions, hosts) {
  const list = entriesOf(sessions).map(([id, session]) => ({ id, ...session }));
  const where = (test) => list.filter(test).map(({ id }) => id);
  const isCaller = ({ owner }) => owner === 'caller';
  const free = (session) => isWarm(session) && !session.quarantined;
  return {
    'session:ready': where((it) => isCaller(it) && it.status === 'ready'),
    'session:starting': where((it) => isCaller(it) && ['starting', 'restarting'].includes(it.status)),
    'sessions:ending': where(({ status }) => status === 'ending'),
    'sessions:callers': where(
      (it) => isCaller(it) && ['ready', 'starting', 'restarting', 'ending'].includes(it.status),
    ),
    'pool:ready': where((it) => free(it) && it.status === 'pooled'),
    'pool:warming': where((it) => free(it) && it.status === 'starting'),
    ...Object.fromEntries(
      hosts.flatMap((host) => [
        [`host:${host}:sessions`, where((it) => it.host === host)],
        [`host:${host}:ending`, where((it) => it.host === host && it.status === 'ending')],
      ]),
    ),
  };
}

function judgeSets({ sessions, sets, sorted, users }) {
  const anew = countAnew(sessions, sorted.hosts);
  const violations = Object.entries(anew).flatMap(([name, members]) => {
    const differing = symmetricDifference(members, sets[name] ?? []);
    return differing.map((id) => ({
      rule: 'count differs',
      id,
      text: `${name} ${members.includes(id) ? 'lacks it' : 'has it, and should not'}`,
    }));
  });
  const pending = entriesOf(sessions).flatMap(([id, { status, host }]) =>
    ['starting', 'restarting'].includes(status) && !host ? [id] : [],
  );
  for (const id of symmetricDifference(pending, sorted['spawn:pending'])) {
    violations.push({ rule: 'count differs', id, text: 'spawn:pending and its hash disagree' });
  }
  for (const [user, id] of Object.entries(users)) {
    if (sessions[id]?.userKey !== user)
      violations.push({ rule: 'count differs', id, text: `the user ${user} is held by it` });
  }
  return violations;
}

function judgeHealth({ health, sets }) {
  const size = (name) => sets[name].length;
  return health.flatMap(({ sessions, capacity }) => {
    const said = [sessions.ready, sessions.starting, sessions.pool, sessions.warming, capacity.current];
    const there = ['session:ready', 'session:starting', 'pool:ready', 'pool:warming', 'sessions:callers'].map(
      size,
    );
    return said.join() === there.join()
      ? []
      : [
          {
            rule: 'count differs',
            text: `health says ${said.join()} (ready, starting, pool, warming, callers), not ${there.join()}`,
          },
        ];
  });
}

/** What each caller was told, against what became of it. Lost is an accepted id that is neither live nor remembered. */
export function judgeCallers(callers, { facts, trace, faults }) {
  const hosts = hostsOf(trace);
  // A caller who stood in line has the session of the warm agent that it was given.
  const resolve = (id) => facts.becomes[id] ?? id;
  const isKnown = (id) => facts.sessions[id] !== undefined || facts.ended[id] !== undefined;
  return callers.flatMap((caller) => {
    const { number, outcome } = caller;
    const ids = new Set([...caller.ids].map(resolve));
    const lost = [...ids].filter((id) => !isKnown(id));
    const violations = lost.map((id) => ({
      rule: 'lost session',
      id,
      text: `accepted for caller ${number}`,
    }));
    if (outcome === 'LOST' && lost.length === 0) {
      violations.push({
        rule: 'lost session',
        id: caller.id,
        text: `caller ${number} was told that there is none`,
      });
    }
    if (ids.size > 1) {
      const text = `one key of caller ${number} was given ${[...ids].join(', ')}`;
      violations.push({ rule: 'doubled session', id: caller.id, text });
    }
    for (const id of ids) {
      const reason = facts.ended[id];
      if (reason !== undefined && !isExplained(id, caller, reason, { hosts, faults })) {
        violations.push({ rule: 'unexplained end', id, text: `of caller ${number}: ${reason}` });
      }
    }
    if (outcome.startsWith('refused: ') && !EXPECTED_REFUSALS.has(outcome.slice('refused: '.length))) {
      violations.push({ rule: 'refused without a cause', text: `caller ${number} ${outcome}` });
    }
    return violations;
  });
}

/** Every caller has asked until it knew: a call that nobody knows of was begun twice. */
export function judgeOwners(callers, { sessions, becomes }) {
  const known = new Set(callers.flatMap(({ ids }) => [...ids].map((id) => becomes[id] ?? id)));
  return entriesOf(sessions).flatMap(([id, { owner, status }]) =>
    owner === 'caller' && status !== 'error' && !known.has(id)
      ? [{ rule: 'doubled session', id, text: `${status}, and no caller knows of it` }]
      : [],
  );
}

function isExplained(id, { acceptedAt, unheardMs }, reason, { hosts, faults }) {
  if (ASKED_FOR.has(reason)) return true;
  if (reason === 'line_abandoned') return unheardMs > LINE_PATIENCE_MS;
  if (!EXPLAINED_BY_FAULTS.has(reason)) return false;
  const names = hosts.get(id) ?? new Set();
  return faults.some(
    ({ target, to }) =>
      (names.size === 0 || names.has(target.replace('spawner', 'host'))) && to > acceptedAt - 60_000,
  );
}

/** The hosts that each session was on. */
function hostsOf(trace) {
  const hosts = new Map();
  for (const { id, after } of trace) {
    if (after.host === undefined) continue;
    hosts.set(id, (hosts.get(id) ?? new Set()).add(after.host));
  }
  return hosts;
}

function entriesOf(sessions) {
  return Object.entries(Array.isArray(sessions) ? {} : sessions);
}

function symmetricDifference(one, other) {
  return [...one.filter((it) => !other.includes(it)), ...other.filter((it) => !one.includes(it))];
}
