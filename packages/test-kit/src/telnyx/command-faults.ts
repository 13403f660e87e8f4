import type { PhoneCall } from './phone-call.js';
import type { CommandFault } from './types.js';

export type Concerns = (call: PhoneCall, action: string) => boolean;

/** What goes wrong with the next commands. */
export interface CommandFaults {
  readonly set: (fault: CommandFault, times?: number, concerns?: Concerns) => void;
  readonly clear: () => void;
  /** Asked once a command. */
  readonly next: (call: PhoneCall, action: string) => CommandFault | undefined;
}

export function makeCommandFaults(): CommandFaults {
  let now: { fault: CommandFault; left: number; concerns: Concerns } | undefined;
  return {
    set: (fault, times = Number.POSITIVE_INFINITY, concerns = () => true) => {
      now = { fault, left: times, concerns };
    },
    clear: () => {
      now = undefined;
    },
    next: (call, action) => {
      if (!now || now.left <= 0 || !now.concerns(call, action)) return undefined;
      now.left -= 1;
      return now.fault;
    },
  };
}
