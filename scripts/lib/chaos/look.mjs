import { readFileSync } from 'node:fs';

/** Everything that Redis knows, in one step: no session can move between two lists while we look. */
const READ_ALL = `
local facts = { sessions = {}, users = {}, sets = {}, sorted = {}, ended = {}, becomes = {} }
for _, key in ipairs(redis.call('KEYS', 'session:*')) do
  local kind = redis.call('TYPE', key).ok
  if kind == 'hash' then
    local flat, session = redis.call('HGETALL', key), {}
    for i = 1, #flat, 2 do session[flat[i]] = flat[i + 1] end
    facts.sessions[string.sub(key, 9)] = session
  elseif kind == 'string' then
    facts.users[string.sub(key, 14)] = redis.call('GET', key)
  end
end
local function add_set(key) facts.sets[key] = redis.call('SMEMBERS', key) end
for _, key in ipairs({ 'session:ready', 'session:starting', 'sessions:callers', 'sessions:ending', 'pool:ready', 'pool:warming' }) do
  add_set(key)
end
for _, key in ipairs({ 'sessions:index', 'spawn:pending', 'rooms:doomed', 'hosts' }) do
  facts.sorted[key] = redis.call('ZRANGE', key, 0, -1)
end
for _, host in ipairs(facts.sorted.hosts) do
  add_set('host:' .. host .. ':sessions')
  add_set('host:' .. host .. ':ending')
end
for _, key in ipairs(redis.call('KEYS', 'ended:*')) do
  facts.ended[string.sub(key, 7)] = redis.call('HGET', key, 'endReason') or ''
end
for _, key in ipairs(redis.call('KEYS', 'becomes:*')) do facts.becomes[string.sub(key, 9)] = redis.call('GET', key) end
return cjson.encode(facts)
`;

/** What there is right now: Redis, processes, rooms, and what each api says. */
export async function look(deployment) {
  const { redis, livekit, apis } = deployment;
  const facts = JSON.parse(await redis.command('EVAL', READ_ALL, 0));
  const [rooms, health] = await Promise.all([
    livekit.rooms.listRooms().then((list) => list.map(({ name }) => name)),
    Promise.all(apis.map(({ url }) => fetch(`${url}/api/health`).then((response) => response.json()))),
  ]);
  const lists = (table) => Object.fromEntries(Object.entries(table).map(([key, it]) => [key, asList(it)]));
  return {
    ...facts,
    sets: lists(facts.sets),
    sorted: lists(facts.sorted),
    rooms,
    health,
    agents: deployment.agentProcesses().map(({ pid }) => ({ pid, ...readAgent(pid) })),
    at: Date.now(),
  };
}

/** Lua's empty table is `{}` in JSON. */
function asList(value) {
  return Array.isArray(value) ? value : [];
}

/** Whose process it is, by its environment; undefined where it is gone by now. */
function readAgent(pid) {
  let text = '';
  try {
    text = readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    // Gone, or not ours to read.
  }
  const variable = (name) =>
    text
      .split('\0')
      .find((it) => it.startsWith(`${name}=`))
      ?.slice(name.length + 1);
  return { sessionId: variable('SESSION_ID'), launch: variable('GREENROOM_LAUNCH') };
}

const CHUNK = 500;

/** The whole trace, in order. */
export async function readTrace(redis) {
  const trace = [];
  for (let from = '-'; ; ) {
    const chunk = await redis.command('XRANGE', 'trace', from, '+', 'COUNT', CHUNK);
    for (const [id, [, text]] of chunk) trace.push({ streamId: id, ...JSON.parse(text) });
    if (chunk.length < CHUNK) return trace;
    from = `(${chunk.at(-1)[0]}`;
  }
}
