import { EventEmitter } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { expect, jest, test } from '@jest/globals';
import { ConnectionState, ParticipantKind, type Room, RoomEvent } from 'livekit-client';
import { untilHeard } from './until-heard.js';

/** A room as LiveKit tells of it, and what became of a line that waits in it. */
function waitIn(state = ConnectionState.Connected) {
  const attributes: Record<string, string> = {};
  const remoteParticipants = new Map<string, object>();
  const room = Object.assign(new EventEmitter(), { state, remoteParticipants });
  let became = 'waits';
  const wait = (): void => {
    became = 'waits';
    untilHeard(room as unknown as Room).then(
      () => (became = 'sent'),
      () => (became = 'refused'),
    );
  };
  wait();
  return {
    room,
    waitAgain: wait,
    agentJoins: () => {
      remoteParticipants.set('agent', { kind: ParticipantKind.AGENT, attributes });
      room.emit(RoomEvent.ParticipantConnected);
    },
    agentLeaves: () => {
      remoteParticipants.clear();
      room.emit(RoomEvent.ParticipantDisconnected);
    },
    agentIs: (it: string) => {
      attributes['lk.agent.state'] = it;
      room.emit(RoomEvent.ParticipantAttributesChanged);
    },
    connectionIs: (it: ConnectionState) => {
      room.state = it;
      room.emit(RoomEvent.ConnectionStateChanged);
    },
    became: async () => {
      await setImmediate();
      return became;
    },
  };
}

test('waits for an agent, and for it to listen', async () => {
  const at = waitIn();
  expect(await at.became()).toBe('waits');
  at.agentJoins();
  at.agentIs('initializing');
  expect(await at.became()).toBe('waits');
  at.agentIs('listening');
  expect(await at.became()).toBe('sent');
  expect(at.room.eventNames()).toEqual([]);
});

test('an agent that is there and listens hears at once', async () => {
  const at = waitIn(ConnectionState.Reconnecting);
  at.agentIs('speaking');
  at.agentJoins();
  expect(await at.became()).toBe('waits');
  at.connectionIs(ConnectionState.Connected);
  expect(await at.became()).toBe('sent');
});

test('one that says nothing of its state has its time from when it is there', async () => {
  jest.useFakeTimers({ doNotFake: ['setImmediate'] });
  try {
    const at = waitIn();
    jest.advanceTimersByTime(60_000);
    at.agentJoins();
    jest.advanceTimersByTime(4_900);
    at.agentLeaves();
    jest.advanceTimersByTime(60_000);
    at.agentJoins();
    jest.advanceTimersByTime(4_900);
    expect(await at.became()).toBe('waits');
    jest.advanceTimersByTime(200);
    expect(await at.became()).toBe('sent');
    // It has had its time: what is typed from now on is sent at once.
    jest.advanceTimersByTime(60_000);
    at.waitAgain();
    jest.advanceTimersByTime(0);
    expect(await at.became()).toBe('sent');
  } finally {
    jest.useRealTimers();
  }
});

test('when the room is lost meanwhile, it was not sent', async () => {
  const at = waitIn();
  at.connectionIs(ConnectionState.Disconnected);
  expect(await at.became()).toBe('refused');
  expect(at.room.eventNames()).toEqual([]);
});
