import { type Config, type Environment, parseConfig, RETENTION_PICKS } from '@greenroom/service-kit';

const PICKS = {
  redisUrl: 'REDIS_URL',
  redisKeyPrefix: 'REDIS_KEY_PREFIX',
  livekitUrl: 'LIVEKIT_URL',
  livekitPublicUrl: 'LIVEKIT_PUBLIC_URL',
  livekitApiKey: 'LIVEKIT_API_KEY',
  livekitApiSecret: 'LIVEKIT_API_SECRET',
  host: 'HOST',
  port: 'PORT',
  adminToken: 'ADMIN_TOKEN',
  clientApiKeys: 'CLIENT_API_KEYS',
  corsOrigins: 'CORS_ORIGINS',
  trustProxy: 'TRUST_PROXY',
  rateLimitPerMinute: 'RATE_LIMIT_PER_MINUTE',
  maxSessions: 'MAX_SESSIONS',
  queueMax: 'QUEUE_MAX',
  maxSessionsPerClient: 'MAX_SESSIONS_PER_CLIENT',
  sessionTimeoutMs: 'SESSION_TIMEOUT',
  warmMaxAgeMs: 'WARM_MAX_AGE',
  leaveGraceMs: 'LEAVE_GRACE',
  drainDelayMs: 'API_DRAIN_DELAY',
  ...RETENTION_PICKS,
  logLevel: 'LOG_LEVEL',
  traceSteps: 'TRACE_STEPS',
} as const;

/** Longest wait for Redis. With Redis hanging, every request is answered within a second, on a busy machine too. */
export const REDIS_LIMIT_MS = 600;

export type ApiConfig = Omit<Config<typeof PICKS>, 'livekitPublicUrl'> & {
  /** What callers connect to; always ws or wss. */
  readonly livekitPublicUrl: string;
};

/** @throws ConfigError with everything that is wrong */
export function parseApiConfig(env: Environment): ApiConfig {
  const config = parseConfig(env, PICKS, checkTogether);
  const publicUrl = config.livekitPublicUrl ?? config.livekitUrl;
  return Object.freeze({ ...config, livekitPublicUrl: publicUrl.replace(/^http/, 'ws') });
}

function checkTogether({ adminToken, clientApiKeys }: Config<typeof PICKS>): string[] {
  return adminToken !== undefined && clientApiKeys.includes(adminToken)
    ? ['CLIENT_API_KEYS must not contain ADMIN_TOKEN: every client would be an admin']
    : [];
}
