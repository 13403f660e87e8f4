import { setTimeout as sleep } from 'node:timers/promises';

const QUESTION = 'Are you still there?';
const NORMAL_MS = 7_000;
const HOLD_ON_MS = 25_000;
const HANG_UP_MS = 5_000;

/**
 * What may happen in a call, each from its connection to its end. `short` ones fit into the half minute that `npm test` has for
 * all of them together, and `onlyShort` ones stand there for others.
 */
export const CASES = {
  /** The reference timeline. */
  'silence, defaults': {
    short: true,
    async play(line) {
      await line.connect();
      await fallSilent(line, { question: QUESTION });
    },
  },

  'silence, own words': {
    short: true,
    async play(line) {
      const question = `${line.name}, can you hear me?`;
      await line.connect({ checkin_message: question });
      await fallSilent(line, { question });
    },
  },

  '10 s, 3 questions of a list': {
    play: (line) => askThrice(line, 10),
  },

  '4 s, 3 questions of a list': {
    onlyShort: true,
    play: (line) => askThrice(line, 4),
  },

  'changed in the middle of a silence': {
    short: true,
    async play(line) {
      await line.connect();
      const done = await line.agentSpeaks();
      await sleep(2_000);
      await line.change({
        silence_timeout_normal: 10,
        goodbye_message: 'Goodbye.',
        max_checkins_before_disconnect: 1,
      });
      const asked = await line.isAsked('question after 10 s, changed at 2 s', done + 10_000, QUESTION);
      const goodbye = await line.isAsked('goodbye 5 s later', asked + HANG_UP_MS, 'Goodbye.');
      await line.isHungUp('hang-up after the goodbye', goodbye);
    },
  },

  'hold on': {
    async play(line) {
      await line.connect();
      await line.agentSpeaks();
      const held = await line.callerSays('hold on, let me look');
      const asked = await line.isAsked('question 25 s after "hold on"', held + HOLD_ON_MS, QUESTION);
      await line.isAsked('second question 25 s later', asked + HOLD_ON_MS, QUESTION);
      await line.callerSays('I am back');
      const done = await line.agentSpeaks();
      await line.isAsked('7 s again after the next words', done + NORMAL_MS, QUESTION);
    },
  },

  'hold on, shorter': {
    onlyShort: true,
    async play(line) {
      await line.connect({ silence_timeout_hold_on: 12 });
      await line.agentSpeaks();
      const held = await line.callerSays('just a moment please');
      await line.isAsked('question 12 s after "a moment"', held + 12_000, QUESTION);
      await line.callerSays('I am back');
      const done = await line.agentSpeaks();
      await line.isAsked('7 s again after the next words', done + NORMAL_MS, QUESTION);
    },
  },

  'an answer clears the count': {
    short: true,
    async play(line) {
      await line.connect({ silence_timeout_normal: 4 });
      const first = await line.agentSpeaks();
      await line.isAsked('first question', first + 4_000, QUESTION);
      await sleep(2_000);
      await line.callerSays('yes I am here');
      const done = await line.agentSpeaks(1_000);
      const asked = await line.isAsked('first question again after an answer', done + 4_000, QUESTION);
      const again = await line.isAsked('second question', asked + 4_000, QUESTION);
      await line.isHungUp('hang-up', again + HANG_UP_MS);
    },
  },

  'an interruption breaks off the question': {
    short: true,
    async play(line) {
      await line.connect();
      const first = await line.agentSpeaks();
      await line.isBeingAsked('question', first + NORMAL_MS, QUESTION);
      await sleep(300);
      const spoken = await line.callerSays('here I am', 300);
      line.check('the question was not broken off', (await line.hasSpoken()) < spoken + 300);
      const done = await line.agentSpeaks(1_000);
      await line.isAsked('question after the interruption', done + NORMAL_MS, QUESTION);
    },
  },

  /** Two playbacks at once, the second of which ends last; then one without a pause after the other. */
  'only when no playback remains': {
    short: true,
    async play(line) {
      await line.connect();
      const long = line.agentSpeaks(6_000);
      await line.agentSpeaks(1_000);
      await sleep(2_000);
      await line.agentSpeaks(1_500);
      const done = await long;
      await line.isAsked('question after the last of three playbacks', done + NORMAL_MS, QUESTION);
    },
  },

  'a caller who keeps talking': {
    short: true,
    async play(line) {
      await line.connect();
      await line.agentSpeaks();
      const until = Date.now() + 18_000;
      while (Date.now() < until) {
        await line.callerSays('and then there is this other thing that I wanted to tell you', 3_000);
        await sleep(2_500);
      }
      await line.isLeftAlone('asked or hung up on while talking', Date.now());
    },
  },

  /** One long sentence, longer than the wait. */
  'a caller who does not pause': {
    short: true,
    async play(line) {
      await line.connect();
      await line.agentSpeaks();
      await line.callerSays('well it all began when I was a child and my mother told me that', 15_000);
      line.check('asked while speaking', line.call.commands('speak').length === 0);
      const done = await line.agentSpeaks();
      await line.isAsked('question after a long sentence', done + NORMAL_MS, QUESTION);
    },
  },

  'the flag': {
    short: true,
    async play(line) {
      await line.connect({ silence_timeout_normal: 60 });
      await line.agentSpeaks();
      await sleep(700);
      line.check('no flag after the agent was done', (await line.flag()) === 'true');
      await line.callerSays('wait a second', 300);
      await sleep(500);
      line.check('the flag outlived an interruption', (await line.flag()) === null);
      const done = await line.agentSpeaks();
      await sleep(done + 9_000 - Date.now());
      line.check('the flag went too early', (await line.flag()) === 'true');
      await sleep(done + 10_800 - Date.now());
      line.check('the flag did not expire', (await line.flag()) === null);
    },
  },

  'forged, stale and altered webhooks': {
    short: true,
    async play(line) {
      await line.connect();
      const done = await line.agentSpeaks();
      await sleep(1_000);
      const before = await stateOf(line);
      for (const [name, status] of Object.entries(await sendForgeries(line))) {
        line.check(`${name} was answered with ${status}`, status === 401);
      }
      line.check('a forged webhook has changed the call', (await stateOf(line)) === before);
      await line.isAsked('question in spite of forged webhooks', done + NORMAL_MS, QUESTION);
    },
  },
};

/** For a stage in which nobody else calls: nothing wakes the other apis then. */
export const LONE_CASE = {
  name: 'the api that heard of it last is killed a second before each step',
  async play(line) {
    await line.connect();
    const done = await line.agentSpeaks();
    const steps = [
      ['first question, its api killed', NORMAL_MS],
      ['second question, its api killed', NORMAL_MS],
      ['hang-up, its api killed', HANG_UP_MS],
    ];
    let quietAt = done;
    for (const [name, waitMs] of steps) {
      const dueAt = quietAt + waitMs;
      await sleep(dueAt - 1_000 - Date.now());
      const restarted = line.stage.killLastTold(line.call);
      if (name.startsWith('hang-up')) await line.isHungUp(name, dueAt);
      else quietAt = await line.isAsked(name, dueAt, QUESTION);
      await restarted;
    }
  },
};

async function fallSilent(line, { question }) {
  const done = await line.agentSpeaks();
  const first = await line.isAsked('first question: 7 s', done + NORMAL_MS, question);
  const second = await line.isAsked('second question: 7 s after the first', first + NORMAL_MS, question);
  await line.isHungUp('hang-up: 5 s after the second', second + HANG_UP_MS);
  await line.hasEnded('dead_air');
}

async function askThrice(line, seconds) {
  const questions = ['one', 'two', 'three'].map((number) => `${line.name}, question ${number}`);
  await line.connect({
    silence_timeout_normal: seconds,
    max_checkins_before_disconnect: 3,
    checkin_message: questions,
  });
  let done = await line.agentSpeaks();
  for (const [index, question] of questions.entries()) {
    done = await line.isAsked(`question ${index + 1} of 3: ${seconds} s`, done + seconds * 1_000, question);
  }
  await line.isHungUp('hang-up after the third question', done + HANG_UP_MS);
}

/** @returns what each was answered with */
async function sendForgeries({ stage: { telnyx, apis }, call }) {
  const words = call.eventOf('call.transcription', {
    transcription_data: { transcript: 'yes', is_final: true, confidence: 1 },
  });
  const hangup = call.eventOf('call.hangup', { hangup_cause: 'normal_clearing', hangup_source: 'caller' });
  const good = telnyx.signed(words);
  const others = { ...good.headers, 'telnyx-signature-ed25519': Buffer.alloc(64, 7).toString('base64') };
  const stale = telnyx.signed(hangup, Date.now() - 302_000);
  const post = (body, headers) => telnyx.post(apis.find((it) => it.isRunning).url, body, headers);
  return {
    'a forged webhook': await post(good.body, others),
    'an unsigned webhook': await post(good.body, { 'content-type': 'application/json' }),
    'an altered webhook': await post(good.body.replace('yes', 'no!'), good.headers),
    'a stale webhook': await post(stale.body, stale.headers),
    'a webhook with a new timestamp': await post(stale.body, {
      ...stale.headers,
      'telnyx-timestamp': good.headers['telnyx-timestamp'],
    }),
  };
}

async function stateOf({ stage, call }) {
  return JSON.stringify(await stage.redis('HGETALL', `call:${call.id}`));
}
