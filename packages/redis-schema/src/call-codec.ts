import type { DeadAirSettings } from '@greenroom/contracts';
import type { CallAction, CallCommand, CallMedium, CallRecord, OutboxEntry } from './call-types.js';
import { integer, text } from './session-codec.js';
import { asList } from './script-runner.js';

/** Parses a call's hash as the scripts hand it over. Unknown fields of a newer version are left aside. */
export function parseCall(raw: unknown): CallRecord {
  const h = raw as Record<string, string | undefined>;
  return {
    callId: h.callId ?? '',
    medium: (h.medium ?? 'livekit') as CallMedium,
    sessionId: text(h.sessionId),
    version: integer(h.version) ?? 0,
    state: JSON.parse(h.state ?? 'null') as unknown,
    settings: JSON.parse(h.settings ?? '{}') as DeadAirSettings,
    facts: JSON.parse(h.facts ?? '{}') as Record<string, string>,
    dueAt: integer(h.dueAt),
    openedAt: integer(h.openedAt) ?? 0,
    isOver: h.isOver === '1',
  };
}

export function parseOutbox(raw: unknown): OutboxEntry[] {
  return asList<{ json: string; at: number; attempts: number }>(raw).map(({ json, at, attempts }) => ({
    command: JSON.parse(json) as CallCommand,
    createdAt: at,
    attempts,
  }));
}

interface EncodedCommand {
  id: string;
  kind: CallCommand['kind'];
  json: string;
}

/** What the step of a change is given of the actions. */
export interface EncodedActions {
  commands: EncodedCommand[];
  unsaid: { id: string; command: EncodedCommand }[];
  flag: 'set' | 'clear' | undefined;
  /** The call is to end, or to lose its agent. A question is neither. */
  isGrave: boolean;
}

export function encodeActions(actions: readonly CallAction[]): EncodedActions {
  const encoded: EncodedActions = { commands: [], unsaid: [], flag: undefined, isGrave: false };
  for (const action of actions) {
    switch (action.kind) {
      case 'flag_set':
        encoded.flag = 'set';
        break;
      case 'flag_clear':
        encoded.flag = 'clear';
        break;
      case 'unsay':
        encoded.unsaid.push({ id: action.commandId, command: encodeCommand(unsay(action)) });
        break;
      case 'say':
      case 'end':
      case 'restart_agent':
      case 'phone':
        encoded.commands.push(encodeCommand(action));
        encoded.isGrave ||= isGrave(action);
    }
  }
  return encoded;
}

function isGrave(action: Exclude<CallCommand, { kind: 'unsay' }>): boolean {
  switch (action.kind) {
    case 'end':
    case 'restart_agent':
      return true;
    case 'say':
      return action.purpose !== 'checkin';
    case 'phone':
      return false;
  }
}

/** Said again it is another command: whoever has taken the first would leave it aside. */
function unsay({ commandId, again }: { commandId: string; again?: true }): CallCommand {
  const name = again ? 'unsay-again' : 'unsay';
  return { kind: 'unsay', commandId: `${name}-${commandId}`, of: commandId };
}

function encodeCommand(command: CallCommand): EncodedCommand {
  return { id: command.commandId, kind: command.kind, json: JSON.stringify(command) };
}
