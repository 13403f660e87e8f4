import type { CallCommand, CallRecord } from '@greenroom/redis-schema';
import { expect, test } from '@jest/globals';
import type { CommandOutcome, PhoneCommand } from './phone-command.js';
import { PhoneSender } from './phone-sender.js';
import { TelnyxAwayError } from './telnyx-outcome.js';

const CALL = { callId: 'v3:call', medium: 'phone', sessionId: 'session_1', settings: {} } as CallRecord;

function sender(outcome: CommandOutcome | Error, ...later: CommandOutcome[]) {
  const sent: unknown[] = [];
  const ended: string[] = [];
  const warned: unknown[] = [];
  const errors: unknown[] = [];
  const outcomes = [outcome, ...later];
  const phone = new PhoneSender({
    client: {
      async send(callId: string, commandId: string, command: PhoneCommand) {
        sent.push([callId, commandId, command]);
        const next = outcomes.length > 1 ? outcomes.shift()! : outcomes[0]!;
        if (next instanceof Error) throw next;
        return next;
      },
    },
    endSession: async (_, reason) => void ended.push(reason),
    logger: {
      warn: (...all: unknown[]) => warned.push(all),
      error: (...all: unknown[]) => errors.push(all),
    } as never,
  });
  return { phone, sent, ended, warned, errors };
}

const SAY: CallCommand = { kind: 'say', commandId: 'checkin-1', text: 'Still there?', purpose: 'checkin' };
const ANSWER: CallCommand = { kind: 'phone', commandId: 'answer', command: { kind: 'answer' } };
const LINK: CallCommand = { kind: 'phone', commandId: 'link', command: { kind: 'transfer', to: 'sip:x@y' } };
const REJECT: CallCommand = { kind: 'phone', commandId: 'reject', command: { kind: 'reject' } };
const END: CallCommand = { kind: 'end', commandId: 'end-1', reason: 'dead_air' };
const UNSAY: CallCommand = { kind: 'unsay', commandId: 'unsay-checkin-1', of: 'checkin-1' };

test.each([
  [SAY, { kind: 'speak', text: 'Still there?' }],
  [UNSAY, { kind: 'playback_stop' }],
  [END, { kind: 'hangup' }],
  [ANSWER, { kind: 'answer' }],
  [LINK, { kind: 'transfer', to: 'sip:x@y' }],
])('%j goes out under its own id, and is confirmed by Telnyx itself', async (command, wish) => {
  const { phone, sent } = sender({ status: 'done' });
  expect(await phone.send(CALL, command)).toBe('confirmed');
  expect(sent).toEqual([['v3:call', command.commandId, wish]]);
});

test('a question is played where the call has a sound for it, and nothing else is', async () => {
  const audioUrl = 'https://sounds.example.test/there.mp3';
  const call = { ...CALL, settings: { checkin_audio_url: audioUrl } };
  const { phone, sent } = sender({ status: 'done' });
  await phone.send(call, SAY);
  await phone.send(call, { ...SAY, purpose: 'goodbye' });
  expect(sent).toMatchObject([
    ['v3:call', 'checkin-1', { kind: 'playback_start', audioUrl }],
    ['v3:call', 'checkin-1', { kind: 'speak' }],
  ]);
});

test('a sound that Telnyx refuses is said in words, and known as the same line', async () => {
  const audioUrl = 'https://sounds.example.test/there.mp3';
  const call = { ...CALL, settings: { checkin_audio_url: audioUrl } };
  const refused = { status: 'refused', problem: 'Telnyx answered 422 10011' } as const;
  const { phone, sent, warned, errors } = sender(refused, { status: 'done' });
  expect(await phone.send(call, SAY)).toBe('confirmed');
  expect(sent).toEqual([
    ['v3:call', 'checkin-1', { kind: 'playback_start', audioUrl }],
    ['v3:call', 'checkin-1-text', { kind: 'speak', text: 'Still there?', lineId: 'checkin-1' }],
  ]);
  expect(JSON.stringify(warned)).toContain('10011');
  expect(errors).toEqual([]);
  const never = sender(refused);
  expect(await never.phone.send(call, SAY)).toBe('refused');
  expect(never.errors).toHaveLength(1);
});

test('a call that was rejected is over', async () => {
  expect(await sender({ status: 'done' }).phone.send(CALL, REJECT)).toBe('gone');
});

test('so is one of which Telnyx says so', async () => {
  for (const command of [SAY, END, ANSWER, LINK]) {
    expect(await sender({ status: 'gone' }).phone.send(CALL, command)).toBe('gone');
  }
});

test('what Telnyx does not take now is sent again', async () => {
  await expect(sender(new TelnyxAwayError('away', 'failing')).phone.send(CALL, END)).rejects.toThrow(
    TelnyxAwayError,
  );
});

test('a caller who can never meet the agent is not kept', async () => {
  for (const command of [ANSWER, LINK]) {
    const { phone, ended } = sender({ status: 'refused', problem: 'Telnyx answered 422 10004' });
    expect(await phone.send(CALL, command)).toBe('refused');
    expect(ended).toEqual(['start_failed']);
  }
});

test('a line that is refused ends nothing, and is told without its words', async () => {
  const { phone, ended, errors } = sender({ status: 'refused', problem: 'Telnyx answered 422 10004' });
  expect(await phone.send(CALL, SAY)).toBe('refused');
  expect(ended).toEqual([]);
  expect(JSON.stringify(errors)).toContain('10004');
  expect(JSON.stringify(errors)).not.toContain('Still there');
});
