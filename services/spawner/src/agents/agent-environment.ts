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

/** The whole environment of an agent, as the agent contract lists it. Ours is not inherited. */
export function buildAgentEnvironment(request: AgentEnvironmentRequest): Record<string, string> {
  const { session, profile } = request;
  return {
    ...profile.variables,
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
