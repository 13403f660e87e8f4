import { AGENT_EVENT_NAMES } from '@greenroom/contracts';
import { describe, expect, test } from '@jest/globals';
import { parseAgentEvent } from './agent-events.js';

const parse = (value: unknown) => parseAgentEvent(JSON.stringify(value));

describe('an agent event', () => {
  test.each([
    [{ event: 'ready' }, { event: 'ready' }],
    [{ event: 'ready', extra: 1 }, { event: 'ready' }],
    [
      { event: 'agent_speaking', active: true },
      { event: 'agent_speaking', active: true },
    ],
    [
      { event: 'user_speaking', active: false },
      { event: 'user_speaking', active: false },
    ],
    [
      { event: 'transcript', role: 'user', text: 'hello', final: false },
      { event: 'transcript', role: 'user', text: 'hello', final: false },
    ],
    [
      { event: 'transcript', role: 'assistant', text: 'hi' },
      { event: 'transcript', role: 'agent', text: 'hi', final: true },
    ],
    [
      { event: 'tool', active: true, name: 'find_order' },
      { event: 'tool', active: true, id: 'find_order' },
    ],
    [
      { event: 'tool', active: false, id: 'call-7', name: 'find_order' },
      { event: 'tool', active: false, id: 'call-7' },
    ],
    [
      { event: 'tool', active: true },
      { event: 'tool', active: true, id: 'tool' },
    ],
    [
      { event: 'transfer', active: true, to: '+1555' },
      { event: 'transfer', active: true },
    ],
    [
      { event: 'said', active: true, commandId: 'checkin-1' },
      { event: 'said', active: true, commandId: 'checkin-1' },
    ],
    [{ event: 'health' }, { event: 'health' }],
    [
      { event: 'health', status: 'ok' },
      { event: 'health', status: 'ok' },
    ],
    [
      { event: 'error', message: 'no voice' },
      { event: 'error', message: 'no voice' },
    ],
    [
      { event: 'end', reason: 'goodbye' },
      { event: 'end', reason: 'goodbye' },
    ],
    [{ event: 'end' }, { event: 'end', reason: 'agent_ended' }],
  ])('%j', (value, event) => {
    expect(parse(value)).toEqual({ kind: 'event', event });
  });

  test.each([
    { event: 'agent_speaking' },
    { event: 'agent_speaking', active: 'true' },
    { event: 'user_speaking', active: 1 },
    { event: 'tool', id: 'find_order' },
    { event: 'tool', active: true, id: 7 },
    { event: 'transfer', active: 'yes' },
    { event: 'said', active: true },
    { event: 'said', commandId: 'checkin-1' },
    { event: 'said', active: true, commandId: 'x'.repeat(201) },
    { event: 'transcript', role: 'user' },
    { event: 'transcript', role: 'nobody', text: 'x' },
    { event: 'transcript', role: 'user', text: 'x', final: 'yes' },
    { event: 'error' },
    { event: 'end', reason: { code: 1 } },
  ])('of a wrong form is told from output: %j', (value) => {
    expect(parse(value)).toMatchObject({ kind: 'invalid', name: value.event });
  });

  test.each([
    '',
    'hello',
    '{',
    '{}',
    '[]',
    'null',
    '"ready"',
    '{"event":1}',
    '{"event":"ready"',
    '{"event":null}',
    '{not json}',
  ])('is not seen in %j', (line) => {
    expect(parseAgentEvent(line)).toEqual({ kind: 'none' });
  });

  test.each(['party', 'constructor', '__proto__', 'toString'])(
    'of a name that we do not know is ignored: %s',
    (event) => {
      expect(parse({ event })).toEqual({ kind: 'unknown', name: event });
    },
  );

  test.each([
    [1795343000000, { at: 1795343000000 }],
    ['2026-11-22', {}],
    [null, {}],
  ])('may say when it happened: %j', (at, seen) => {
    expect(parse({ event: 'ready', at })).toEqual({ kind: 'event', event: { event: 'ready' }, ...seen });
  });

  test('may have blanks around it', () => {
    expect(parseAgentEvent('  {"event":"ready"} \t')).toEqual({ kind: 'event', event: { event: 'ready' } });
  });

  test('is bounded, and cut between characters', () => {
    const long = parse({ event: 'transcript', role: 'user', text: `${'x'.repeat(3999)}😀😀`, final: true });
    expect(long).toEqual({
      kind: 'event',
      event: { event: 'transcript', role: 'user', text: 'x'.repeat(3999), final: true },
    });
    expect(parse({ event: 'end', reason: 'y'.repeat(5000) })).toMatchObject({
      event: { reason: 'y'.repeat(200) },
    });
  });

  test('of every name in the contract is understood', () => {
    for (const event of AGENT_EVENT_NAMES) expect(parse({ event }).kind).not.toBe('unknown');
  });
});
