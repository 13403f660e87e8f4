import { CALLER_IDENTITY_PREFIX } from '@greenroom/contracts';

/** What the ear is told. */
export interface JoinRoom {
  readonly room: string;
  readonly url: string;
  readonly token: string;
}

export interface Sounds {
  readonly agent: boolean;
  readonly caller: boolean;
}

/** What the ear tells. */
export type HeardInRoom =
  | ({ readonly room: string; readonly isThere: true } & Sounds)
  /** It could not come in, or was let out: the room may be gone. */
  | { readonly room: string; readonly isThere: false };

/** Where agents built with LiveKit's frameworks say what they do. */
const AGENT_STATE = 'lk.agent.state';

export function isAgentState(attributes: Readonly<Record<string, string>>): boolean {
  return AGENT_STATE in attributes;
}

export interface SeenParticipant {
  readonly identity: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** LiveKit's SIP service has brought them in. */
  readonly isOnThePhone: boolean;
}

/** Who speaks. What an agent says of itself counts more than its sound: it knows when its last word is played. */
export function soundsOf(participants: readonly SeenParticipant[], speaking: ReadonlySet<string>): Sounds {
  const isSpeaking = (participant: SeenParticipant): boolean => {
    const state = participant.attributes[AGENT_STATE];
    return state === undefined || isCaller(participant)
      ? speaking.has(participant.identity)
      : state === 'speaking';
  };
  const [callers, others] = [participants.filter(isCaller), participants.filter((it) => !isCaller(it))];
  return { agent: others.some(isSpeaking), caller: callers.some(isSpeaking) };
}

function isCaller({ identity, isOnThePhone }: SeenParticipant): boolean {
  return isOnThePhone || identity.startsWith(CALLER_IDENTITY_PREFIX);
}
