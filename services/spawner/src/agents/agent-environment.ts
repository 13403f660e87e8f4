import type { SessionRecord } from '@greenroom/redis-schema';
import type { Profile } from './profile.js';

export interface AgentEnvironmentRequest {
  session: SessionRecord;
  profile: Profile;
  launch: string;
  eventsFile: string;
  livekitUrl: string;
  livekitToken: string;
}

/** Ours to give, whatever a profile says. */
const CONTRACT_NAMES = [
  'SESSION_ID',
  'AGENT_ID',
  'GREENROOM_LAUNCH',
  'GREENROOM_EVENTS',
  'AGENT_MODE',
  'LIVEKIT_URL',
  'LIVEKIT_TOKEN',
  'LIVEKIT_ROOM_NAME',
  'ROOM_NAME',
  'USER_ID',
  'USER_NAME',
  'VOICE_ID',
  'PROFILE',
] as const;

export const CONTRACT_VARIABLES: ReadonlySet<string> = new Set(CONTRACT_NAMES);

/** The whole environment of an agent, as the agent contract lists it. Ours is not inherited. */
export function buildAgentEnvironment(request: AgentEnvironmentRequest): Record<string, string> {
  return { ...request.profile.variables, ...contractVariables(request) };
}

function contractVariables(
  request: AgentEnvironmentRequest,
): Record<(typeof CONTRACT_NAMES)[number], string> {
  const { session } = request;
  return {
    SESSION_ID: session.id,
    AGENT_ID: session.id,
    GREENROOM_LAUNCH: request.launch,
    GREENROOM_EVENTS: request.eventsFile,
    AGENT_MODE: session.mode,
    LIVEKIT_URL: request.livekitUrl,
    LIVEKIT_TOKEN: request.livekitToken,
    LIVEKIT_ROOM_NAME: session.roomName,
    ROOM_NAME: session.roomName,
    USER_ID: session.userId ?? '',
    USER_NAME: session.userName ?? '',
    VOICE_ID: session.voiceId ?? '',
    PROFILE: session.profile,
  };
}
