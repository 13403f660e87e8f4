import { describe, expect, it } from '@jest/globals';
import { begin, callReducer } from './index.js';
import type { StoredCall } from './reduce-call.js';

const fresh: StoredCall = { medium: 'phone', state: begin(1000, 'phone'), settings: {}, dueAt: undefined };

describe('a stored call', () => {
  it('becomes what all events in their order make of it', () => {
    const next = callReducer({ kind: 'call_started', at: 1000 }, { kind: 'time', at: 8000 })(fresh);
    expect(next).toMatchObject({
      actions: [{ kind: 'say', commandId: 'checkin-1' }],
      steps: [{ name: 'call_started' }, { name: 'checkin' }],
    });
  });

  it('is the same where nothing follows, and an event that was told twice brings nothing', () => {
    const started = callReducer({ kind: 'call_started', at: 1000 })(fresh);
    if (started === 'unchanged') throw new Error('not started');
    const stored = { ...fresh, ...started };
    expect(callReducer({ kind: 'call_started', at: 1000 })(stored)).toBe('unchanged');
    expect(callReducer({ kind: 'time', at: 2000 })(stored)).toBe('unchanged');
  });

  it('is due in a whole millisecond, and then something follows', () => {
    const started = callReducer({ kind: 'call_started', at: 1000.4 })(fresh);
    if (started === 'unchanged') throw new Error('not started');
    expect(started.dueAt).toBe(8001);
    expect(callReducer({ kind: 'time', at: 8001 })({ ...fresh, ...started })).not.toBe('unchanged');
  });

  it('of a later version is left as it is', () => {
    const later = { ...fresh, state: { v: 2 } };
    expect(callReducer({ kind: 'call_started', at: 1000 })(later)).toBe('unchanged');
  });
});
