import type { Call, Microphone } from '../state/call-state.js';

/** Something that stands in the way of talking, and the way out. */
export interface Notice {
  readonly id: 'connection' | 'sound' | 'microphone' | 'agent';
  readonly title: string;
  readonly text: string;
  /** What the button says, where one helps. */
  readonly action?: string;
}

type Words = Omit<Notice, 'id'>;

const TYPE_ON = 'Meanwhile you hear the agent, and can type.';

const MICROPHONE: Readonly<Record<Microphone, Words | undefined>> = {
  off: undefined,
  on: undefined,
  muted: undefined,
  asking: {
    title: 'Allow the microphone',
    text: 'Your browser asks whether this page may hear you.',
  },
  refused: {
    title: 'The microphone is blocked',
    text: `Allow it for this page: the icon beside the address leads there. ${TYPE_ON}`,
    action: 'Try again',
  },
  missing: {
    title: 'No microphone found',
    text: `Plug one in: it is used as soon as it is there. ${TYPE_ON}`,
    action: 'Try again',
  },
  busy: {
    title: 'The microphone is in use',
    text: `Another program has it. Close that one, and try again. ${TYPE_ON}`,
    action: 'Try again',
  },
  insecure: {
    title: 'No microphone on this address',
    text: `Browsers give one only to pages from https:// or localhost. ${TYPE_ON}`,
  },
  failed: {
    title: 'The microphone does not work',
    text: `The browser could not open it. ${TYPE_ON}`,
    action: 'Try again',
  },
};

/** The most important one: without a connection the others mean nothing. */
export function noticeOf(call: Call): Notice | undefined {
  const { room, microphone, status, marks } = call;
  switch (room.connection) {
    case 'lost':
    case 'reconnecting':
      return {
        id: 'connection',
        title: 'Connection lost',
        text: 'You are being brought back into the call. Stay on this page.',
      };
    case 'none':
    case 'joining':
      return undefined;
    case 'joined':
      break;
  }
  if (status === 'restarting')
    return {
      id: 'agent',
      title: 'The agent was lost',
      text: 'Another one joins in a moment. Stay on the line.',
    };
  if (!room.canPlay)
    return {
      id: 'sound',
      title: 'Sound is held back',
      text: 'Your browser plays none before you press a button.',
      action: 'Hear the agent',
    };
  const words = marks.readyAt === undefined && microphone !== 'asking' ? undefined : MICROPHONE[microphone];
  return words && { id: 'microphone', ...words };
}
