import type { CallCommand, CallRecord, OutboxEntry } from '@greenroom/redis-schema';
import { createLogger } from '@greenroom/service-kit';
import { expect, test } from '@jest/globals';
import { createApiMetrics } from '../metrics.js';
import type { SendOutcome } from './call-sender.js';
import { CommandSender, type CommandSenderOptions } from './command-sender.js';

const call = { callId: 'v3:call', medium: 'phone' } as CallRecord;
const link: CallCommand = { kind: 'phone', commandId: 'link', command: {} };
const question: CallCommand = { kind: 'say', commandId: 'checkin-1', text: 'Hello?', purpose: 'checkin' };
const next: CallCommand = { ...question, commandId: 'checkin-2' };

const entryOf = (command: CallCommand): OutboxEntry => ({ command, createdAt: 0, attempts: 1 });

test('nothing is said from a list that has become stale while something before it was sent', async () => {
  const sent: string[] = [];
  let finish: (outcome: SendOutcome) => void = () => undefined;
  const isSlow = new Promise<SendOutcome>((resolve) => (finish = resolve));
  const done = () => Promise.resolve();
  const sender = new CommandSender({
    redis: {
      clock: { now: () => 0 },
      calls: { confirm: done, retryIn: done },
    } as unknown as CommandSenderOptions['redis'],
    senders: [
      {
        medium: 'phone',
        send: (_call, { commandId }) => {
          sent.push(commandId);
          return commandId === 'link' ? isSlow : Promise.resolve('sent');
        },
      },
    ],
    ends: { endSession: done, close: done },
    commands: createApiMetrics().callCommands,
    logger: createLogger({ service: 'api', level: 'error', secrets: [] }),
  });
  sender.deliver(call, [entryOf(link), entryOf(question)]);
  // The caller was heard meanwhile, fell silent again, and the question was taken back.
  sender.deliver(call, [entryOf(next)]);
  finish('confirmed');
  await sender.idle();
  expect(sent).toEqual(['link', 'checkin-2']);
});
