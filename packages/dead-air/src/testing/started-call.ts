import type { DeadAirSettings } from '@greenroom/contracts';
import type { CallAction } from '../events.js';
import { CallUnderTest } from './call-under-test.js';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
/** What is asked where no setting says otherwise. */
export const QUESTION = 'Are you still there?';

/** Both sides are there at 0, and nobody has said a word. */
export function started(
  settings: DeadAirSettings = {},
  heardBy: 'playback' | 'agent_speaking' | 'nothing' = 'playback',
): CallUnderTest {
  const call = new CallUnderTest({ settings, heardBy });
  call.tell(0, { kind: 'call_started' });
  return call;
}

export function actionsOf<Kind extends CallAction['kind']>(call: CallUnderTest, kind: Kind) {
  return call.done
    .map(({ action }) => action)
    .filter((action): action is Extract<CallAction, { kind: Kind }> => action.kind === kind);
}

export function flags(call: CallUnderTest): string[] {
  return call.done.map(({ action }) => action.kind).filter((kind) => kind.startsWith('flag_'));
}
