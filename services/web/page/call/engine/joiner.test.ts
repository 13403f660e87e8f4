import { afterEach, expect, test } from '@jest/globals';
import type { Room } from 'livekit-client';
import { waitFor } from '@greenroom/test-kit';
import { Joiner } from './joiner.js';
import type { RoomListener, RoomPort } from './room-port.js';
import { Store } from './store.js';

const request = { userName: 'Ada', profile: 'default', voiceId: '' };
const details = { url: 'ws://x', token: 't' };
let gone = new AbortController();

afterEach(() => {
  gone.abort();
  gone = new AbortController();
});

/** A room that lets everybody in, and what was done with its microphone. There is no sessionStorage here at all. */
function joinerWith(store: Store, failures = 0) {
  const microphones: boolean[] = [];
  let left = failures;
  const happened: string[] = [];
  let listener: RoomListener | undefined;
  const room: RoomPort = {
    room: {} as Room,
    connect: async () => {
      left -= 1;
      happened.push(left < 0 ? 'connected' : 'failed');
      if (left >= 0) throw new Error('LiveKit is away');
    },
    setMicrophone: async (isOn) => {
      microphones.push(isOn);
      happened.push(`microphone ${isOn ? 'on' : 'off'}`);
      listener?.onMicrophone(isOn ? 'on' : 'muted');
    },
    chooseMicrophone: async () => undefined,
    untilHeard: async () => undefined,
    sendText: async () => undefined,
    startAudio: async () => undefined,
    leave: () => undefined,
  };
  const joiner = new Joiner({
    store,
    openRoom: async (it) => {
      listener = it;
      return room;
    },
    gone: gone.signal,
    onOver: () => undefined,
  });
  const fail = (times: number): void => {
    left = times;
  };
  return { joiner, room, microphones, happened, fail, lose: () => listener?.onLost() };
}

test('a muted caller who is brought back into the room stays muted, also in a browser that keeps nothing', async () => {
  const store = new Store({ screen: 'lobby', request });
  store.dispatch({ type: 'asked', request, at: 0 });
  const { joiner, room, microphones, lose } = joinerWith(store);
  answerTokens();
  joiner.join(details);
  await waitFor(() => microphones.length === 1);
  expect(microphones).toEqual([true]);
  await room.setMicrophone(false);
  lose();
  await waitFor(() => microphones.length === 3);
  expect(microphones).toEqual([true, false, false]);
});

test('the microphone is opened before there is a connection once, and then not for each attempt to come back', async () => {
  const store = new Store({ screen: 'lobby', request });
  store.dispatch({ type: 'asked', request, at: 0 });
  const { joiner, happened, fail, lose } = joinerWith(store, 1);
  answerTokens();
  joiner.join(details);
  await waitFor(() => happened.length === 4);
  expect(happened).toEqual(['microphone on', 'failed', 'connected', 'microphone on']);
  fail(1);
  lose();
  await waitFor(() => happened.length === 7);
  expect(happened.slice(4)).toEqual(['failed', 'connected', 'microphone on']);
});

test('who was muted before the page was loaded anew is so from the beginning', async () => {
  const store = new Store({ screen: 'lobby', request });
  store.dispatch({ type: 'returning', request, sessionId: 'session_a', askedAt: 0, isMuted: true });
  const { joiner, microphones } = joinerWith(store);
  joiner.join(details);
  await waitFor(() => microphones.length === 1);
  expect(microphones).toEqual([false]);
});

const { fetch } = globalThis;
afterEach(() => {
  globalThis.fetch = fetch;
});

function answerTokens(): void {
  globalThis.fetch = async () => Response.json({ server_url: 'ws://x', participant_token: 't' });
}
