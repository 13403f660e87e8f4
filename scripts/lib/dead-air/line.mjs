import { setTimeout as sleep } from 'node:timers/promises';

/** How much later than expected something may come and still be seen; what comes later counts as missing. */
const PATIENCE_MS = 3_000;
const CONNECTED_MS = 60_000;
const LOOK_MS = 200;
/** From the hang-up until the agent's processes and all else are gone. */
const GONE_MS = 10_000;
/** After the last step, so that what should not come has time to come. */
const AFTERWARDS_MS = 1_500;

/** A phone call and what is measured of it: each step with the time at which it was expected, and at which it came. */
export class Line {
  steps = [];
  problems = [];
  isConnected = false;
  /** What we were asked to say and do, as this call wants to hear it. */
  #expected = [];
  #asked = 0;

  /** @param begin resolves when it may fall silent */
  constructor(stage, name, begin = Promise.resolve()) {
    Object.assign(this, { stage, name, begin });
  }

  /**
   * Rings, is answered, and hears music until the agent of its session is ready and everybody else is there: till then nothing
   * is silent.
   */
  async connect(settings) {
    this.call = this.stage.telnyx.dial();
    const { body } = await this.call.waitForCommand('transfer', 1, CONNECTED_MS);
    this.sessionId = /^sip:([^@]+)@/.exec(body.to)[1];
    await this.call.waitForEvent('call.answered');
    await this.call.hears(this.#prepare(settings));
  }

  async #prepare(settings) {
    const path = `/api/session/${this.sessionId}`;
    while ((await this.stage.ask('GET', path)).status !== 'ready') await sleep(LOOK_MS);
    if (settings) await this.change(settings);
    this.isConnected = true;
    await this.begin;
  }

  change(settings) {
    return this.stage.ask('PATCH', `/api/session/${this.sessionId}/settings`, settings);
  }

  /** @returns when it had really ended */
  agentSpeaks(ms = 500, kind = 'playback') {
    return this.call.agentSpeaks(ms, kind);
  }

  callerSays(text, ms = 600) {
    return this.call.callerSays(text, ms);
  }

  /** The next question. @returns when it has been spoken */
  async isAsked(name, expectedAt, text) {
    const nth = ++this.#asked;
    await this.#step(name, expectedAt, 'speak', nth, text);
    return this.hasSpoken(nth);
  }

  async hasSpoken(nth = this.#asked) {
    const ended = await this.call.waitForEvent('call.speak.ended', nth, PATIENCE_MS);
    return Date.parse(ended.occurred_at);
  }

  /** The next question is under way, and not over yet. */
  async isBeingAsked(name, expectedAt, text) {
    await this.#step(name, expectedAt, 'speak', ++this.#asked, text);
  }

  async isHungUp(name, expectedAt) {
    await this.#step(name, expectedAt, 'hangup', 1);
  }

  /** Nothing is left of its session but why it ended, and nothing of the call. */
  async hasEnded(reason) {
    const path = `/api/session/${this.sessionId}`;
    const limit = Date.now() + GONE_MS;
    let seen;
    do {
      await sleep(LOOK_MS);
      seen = await this.stage.ask('GET', path, undefined, [404]);
    } while (seen.endReason === undefined && Date.now() < limit);
    this.check(`its session ended as ${seen.endReason}, not as ${reason}`, seen.endReason === reason);
    const left = await this.stage.redis('EXISTS', `call:${this.call.id}`);
    const due = await this.stage.redis('ZSCORE', 'calls:due', this.call.id);
    this.check('something of the call was left', left === 0 && due === null);
  }

  /** Nothing is said and nobody hangs up until then. */
  async isLeftAlone(name, until) {
    const before = this.#doings().length;
    await sleep(Math.max(0, until - Date.now()));
    const more = this.#doings().slice(before);
    if (more.length > 0) this.problems.push(`${name}: ${more.join(', ')}`);
  }

  check(name, isTrue) {
    if (!isTrue) this.problems.push(name);
  }

  flag() {
    return this.stage.redis('GET', `flag:${this.call.id}:agent_done_speaking`);
  }

  /** The caller goes. What was said and done must be what this call wanted, in this order, and nothing else. */
  async finish() {
    await sleep(AFTERWARDS_MS);
    this.call.hangup();
    const doings = this.#doings();
    if (doings.join('\n') !== this.#expected.join('\n')) {
      this.problems.push(
        `said and done: ${doings.join(', ') || 'nothing'}; wanted: ${this.#expected.join(', ') || 'nothing'}`,
      );
    }
  }

  async #step(name, expectedAt, action, nth, text) {
    const limit = Math.max(1, expectedAt + PATIENCE_MS - Date.now());
    this.#expected.push(doing(action, text));
    const step = { name, expectedAt, at: undefined };
    this.steps.push(step);
    const { at } = await this.call.waitForCommand(action, nth, limit);
    step.at = at;
  }

  #doings() {
    return this.call
      .commands()
      .filter(({ action }) => DOINGS.has(action))
      .map(({ action, body }) => doing(action, body.payload));
  }
}

const DOINGS = new Set(['speak', 'hangup', 'playback_start']);

function doing(action, text) {
  return text === undefined ? action : `${action} "${text}"`;
}
