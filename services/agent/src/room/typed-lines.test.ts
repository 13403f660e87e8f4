import { EventEmitter } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { ParticipantKind, RoomEvent } from '@livekit/rtc-node';
import { expect, test } from '@jest/globals';
import { TypedLines } from './typed-lines.js';

type Handler = (reader: { readAll(): Promise<string> }, from: { identity: string }) => void;

/** What LiveKit tells of a room, in an order that a real one takes only now and then. */
function roomOf() {
  const events = new EventEmitter();
  const remoteParticipants = new Map<string, { identity: string; kind: ParticipantKind }>();
  let handler: Handler | undefined;
  const room = Object.assign(events, {
    remoteParticipants,
    registerTextStreamHandler: (_topic: string, it: Handler) => {
      handler = it;
    },
  });
  return {
    typed: new TypedLines(room as unknown as ConstructorParameters<typeof TypedLines>[0]),
    joins: (identity: string, kind = ParticipantKind.STANDARD) => {
      remoteParticipants.set(identity, { identity, kind });
      events.emit(RoomEvent.ParticipantConnected, remoteParticipants.get(identity));
    },
    types: async (identity: string, text: string | Error) => {
      const readAll = async () => {
        if (text instanceof Error) throw text;
        return text;
      };
      handler?.({ readAll }, { identity });
      await setImmediate();
    },
  };
}

test('a line that comes before the agent listens is heard when it does, in its order', async () => {
  const { typed, joins, types } = roomOf();
  joins('caller');
  await types('caller', 'one');
  await types('caller', 'two');
  const heard: string[] = [];
  typed.hearWith((text) => heard.push(text));
  await types('caller', 'three');
  expect(heard).toEqual(['one', 'two', 'three']);
});

test('a line that comes before its caller is heard right after whoever meets the caller', async () => {
  const { typed, joins, types } = roomOf();
  const heard: string[] = [];
  typed.hearWith((text) => heard.push(text));
  await types('caller', 'What is my name?');
  joins('somebody else');
  expect(heard).toEqual([]);
  joins('caller');
  expect(heard).toEqual(['What is my name?']);
});

test('a second caller of the call is heard, too; nobody else is, and half a line is none', async () => {
  const { typed, joins, types } = roomOf();
  const heard: string[] = [];
  typed.hearWith((text) => heard.push(text));
  joins('caller');
  joins('caller-anew');
  joins('listener', ParticipantKind.INGRESS);
  joins('agent', ParticipantKind.AGENT);
  await types('listener', 'a');
  await types('agent', 'b');
  await types('caller', new Error('gone'));
  await types('caller-anew', 'c');
  expect(heard).toEqual(['c']);
});

test('what somebody typed who never appears, or has left, keeps nobody else from being heard', async () => {
  const { typed, joins, types } = roomOf();
  const heard: string[] = [];
  typed.hearWith((text) => heard.push(text));
  for (let i = 0; i < 60; i += 1) await types('a program', `line ${i}`);
  joins('caller');
  await types('caller', 'hello');
  expect(heard).toEqual(['hello']);
  await types('late', 'kept');
  joins('late');
  expect(heard).toEqual(['hello', 'kept']);
});
