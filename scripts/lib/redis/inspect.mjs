import { askRedis } from './resp.mjs';

/** Lua scripts with flags, and more, need it. */
export const OLDEST_MAJOR = 7;

/**
 * What is at a Redis URL: `{state: 'usable', version, note?}`, `{state: 'absent'}` when nobody answers there,
 * or `{state: 'refused', why}`.
 */
export async function inspectRedis(url) {
  let info;
  try {
    [info] = await askRedis(url, [['INFO']]);
  } catch (error) {
    if (/WRONGPASS|NOAUTH|invalid username|without any password/.test(error.message)) {
      return { state: 'refused', why: `it does not take the name or password given (${error.message})` };
    }
    return { state: 'absent', why: error.code ?? error.message };
  }
  if (info instanceof Error) return { state: 'refused', why: refusal(info) };
  return judge(parseInfo(String(info)));
}

/** Pure, for the tests: from the fields of INFO to a verdict. */
export function judge(fields) {
  const version = fields.redis_version ?? '';
  const major = Number(version.split('.')[0]);
  if (!Number.isInteger(major) || version === '')
    return { state: 'refused', why: 'it answers, but is no Redis' };
  if (major < OLDEST_MAJOR)
    return { state: 'refused', why: `it is Redis ${version}, and ${OLDEST_MAJOR} or newer is needed` };
  if (fields.cluster_enabled === '1' || fields.redis_mode === 'cluster') {
    return { state: 'refused', why: 'it is a Redis Cluster, and one step of a session spans several keys' };
  }
  if (fields.role === 'slave') return { state: 'refused', why: 'it is a read-only replica' };
  if (Number(fields.maxmemory) > 0 && fields.maxmemory_policy !== 'noeviction') {
    return {
      state: 'refused',
      why: `it evicts keys when it is full (maxmemory-policy ${fields.maxmemory_policy}), so it would lose sessions`,
    };
  }
  return { state: 'usable', version };
}

export function parseInfo(text) {
  return Object.fromEntries(
    text
      .split('\r\n')
      .filter((line) => line.includes(':'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
}

function refusal(error) {
  if (error.message.startsWith('NOAUTH'))
    return 'it wants a password; give one in REDIS_URL=redis://:PASSWORD@host:6379';
  return error.message;
}
