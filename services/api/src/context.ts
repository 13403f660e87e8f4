import type { RedisSchema } from '@greenroom/redis-schema';
import type { Logger } from '@greenroom/service-kit';
import type { ApiConfig } from './config.js';
import type { OpenStreams } from './http/open-streams.js';
import type { AgentMessages } from './livekit/agent-messages.js';
import type { LiveKitBreaker } from './livekit/livekit-breaker.js';
import type { LiveKitProbe } from './livekit/livekit-probe.js';
import type { Rooms } from './livekit/rooms.js';
import type { ApiMetrics } from './metrics.js';
import type { LineWatch } from './sessions/line-watch.js';

/** What the routes work with. Made in main.ts, or by a test. */
export interface ApiContext {
  readonly config: ApiConfig;
  readonly redis: RedisSchema;
  readonly rooms: Rooms;
  readonly agentMessages: AgentMessages;
  readonly livekit: LiveKitProbe;
  /** Refuses starts while LiveKit is away. */
  readonly livekitBreaker: LiveKitBreaker;
  readonly streams: OpenStreams;
  /** Hears of those who asked and could not be heard, and says what this api says of MAX_SESSIONS. */
  readonly lineWatch: Pick<LineWatch, 'missed' | 'maxSessions' | 'word'>;
  readonly metrics: ApiMetrics;
  readonly logger: Logger;
}
