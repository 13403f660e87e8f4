import { setTimeout as sleep } from 'node:timers/promises';

const REQUEST_LIMIT_MS = 4_000;
const POLL_MS = 1_000;
const UNSURE = new Set(['redis_unavailable', 'request_timeout']);

/** Callers as HTTP clients: they start, wait, stay a while and end, each at any api that answers. */
export class Callers {
  /** One entry for each caller. */
  log = [];
  #apis;
  #headers;
  #closing = false;

  constructor({ apis, adminToken }) {
    this.#apis = apis;
    this.#headers = { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' };
  }

  /** From here on nobody starts anew; until then a caller who is told to come back does, as often as it takes. */
  close() {
    this.#closing = true;
  }

  /** `{at, stayMs, ends, body}` of a caller. */
  async call(number, { stayMs, ends, body }, random) {
    const caller = { number, key: `caller-${number}`, ids: new Set(), outcome: 'starting', attempts: 0 };
    this.log.push(caller);
    const id = await this.#start(caller, body, random);
    if (id === undefined) return;
    if (!(await this.#untilReady(caller, random))) return;
    caller.wasReady = true;
    await sleep(stayMs);
    if (!ends) caller.outcome = 'stays';
    else await this.#end(caller, random);
  }

  async #start(caller, body, random) {
    let isUnsure = false;
    for (;;) {
      caller.attempts += 1;
      const answer = await this.#ask('POST', '/api/session/start', random, body, {
        'idempotency-key': caller.key,
      });
      if (answer?.status === 200 || answer?.status === 202) {
        caller.acceptedAt = Date.now();
        caller.firstStatus = answer.body.status;
        return this.#holds(caller, answer.body.sessionId);
      }
      if (answer === undefined) isUnsure = true;
      else if (answer.body?.code === 'session_ended') {
        // Accepted by an answer that was lost, and over since.
        caller.outcome = 'ended unheard';
        return undefined;
      } else if (answer.status !== 503 && answer.status !== 429) {
        caller.outcome = `refused: ${answer.status} ${answer.body?.code}`;
        return undefined;
      } else {
        // A step whose answer was lost may have been taken, and a session be waiting for its caller.
        isUnsure = UNSURE.has(answer.body?.code);
        caller.refusal = answer.body?.code;
      }
      if (!isUnsure && this.#closing) {
        caller.outcome = `refused: ${caller.refusal}`;
        return undefined;
      }
      await sleep(random.between(500, 2_500));
    }
  }

  #holds(caller, id) {
    caller.ids.add(id);
    caller.id = id;
    return id;
  }

  async #untilReady(caller, random) {
    let heardAt = performance.now();
    for (;;) {
      const answer = await this.#ask('GET', `/api/session/${caller.id}`, random);
      caller.unheardMs = Math.max(caller.unheardMs ?? 0, performance.now() - heardAt);
      if (answer?.status === 404) {
        caller.outcome = answer.body?.endReason === undefined ? 'LOST' : `ended: ${answer.body.endReason}`;
        return false;
      }
      if (answer?.status === 200) {
        heardAt = performance.now();
        const { sessionId, status, error } = answer.body;
        // A caller in line that was given a warm agent.
        if (sessionId !== caller.id) caller.id = sessionId;
        if (status === 'ready') return true;
        if (status === 'error') caller.outcome = `failed: ${error}`;
        if (status === 'error') return false;
      }
      await sleep(POLL_MS);
    }
  }

  async #end(caller, random) {
    for (;;) {
      const answer = await this.#ask('POST', '/api/session/end', random, { sessionId: caller.id });
      if (answer?.status === 202 || answer?.status === 404) {
        caller.outcome = answer.status === 202 ? 'ended by us' : `ended: ${answer.body?.endReason ?? 'LOST'}`;
        return;
      }
      await sleep(random.between(200, 800));
    }
  }

  /** An admin's request, at one api after the other until one does it. */
  async insist(method, path, random) {
    for (;;) {
      const answer = await this.#ask(method, path, random);
      if (answer !== undefined && answer.status < 300) return;
      await sleep(random.between(200, 800));
    }
  }

  /** @returns undefined when nobody answered */
  async #ask(method, path, random, body, headers) {
    const api = random.pick(this.#apis);
    try {
      const response = await fetch(`${api.url}${path}`, {
        method,
        headers: { ...this.#headers, ...headers },
        ...(body && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(REQUEST_LIMIT_MS),
      });
      return { status: response.status, body: await response.json() };
    } catch {
      return undefined;
    }
  }
}

/** The part of the run in which callers come; after it those who met a full house have their turn. */
const LAST_ARRIVAL = 0.85;

/** A start that was accepted, and an end that followed: asked for, or by a fault. */
export const isPair = ({ ids, outcome }) => ids.size > 0 && /^(ended|failed)/.test(outcome);

/** When each caller comes and what it does, in seconds from the beginning. A few more stay until the end of the run. */
export function planCallers(pairs, seconds, random) {
  const draws = random.fork('callers');
  const staying = Math.min(5, Math.ceil(pairs / 20));
  return Array.from({ length: staying + pairs }, (_, number) => {
    const stays = number < staying;
    const user = draws.chance(0.2) ? { userId: `user-${Math.floor(draws.between(0, pairs / 10 + 1))}` } : {};
    const kind = draws.next();
    const voice = kind < 0.06 ? { voiceId: 'joins' } : kind < 0.07 ? { voiceId: 'reference' } : {};
    return {
      at: stays ? draws.between(0, 3) : draws.between(0, seconds * LAST_ARRIVAL),
      stayMs: stays ? 0 : 1000 * Math.min(12, 0.3 - 2 * Math.log(1 - draws.next())),
      ends: !stays,
      body: { ...(stays ? {} : user), ...voice },
    };
  });
}
