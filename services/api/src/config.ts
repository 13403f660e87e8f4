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
  listenIn: 'LISTEN_IN',
  listenInAnnouncement: 'LISTEN_IN_ANNOUNCEMENT',
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
  telnyxApiKey: 'TELNYX_API_KEY',
  telnyxPublicKey: 'TELNYX_PUBLIC_KEY',
  telnyxApiUrl: 'TELNYX_API_URL',
  telnyxLink: 'TELNYX_LINK',
  telnyxSipUri: 'TELNYX_SIP_URI',
  telnyxStreamUrl: 'TELNYX_STREAM_URL',
  telnyxProfile: 'TELNYX_PROFILE',
  telnyxVoice: 'TELNYX_VOICE',
  telnyxLanguage: 'TELNYX_LANGUAGE',
  telnyxTranscription: 'TELNYX_TRANSCRIPTION',
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

function checkTogether(config: Config<typeof PICKS>): string[] {
  const { adminToken, clientApiKeys } = config;
  return adminToken !== undefined && clientApiKeys.includes(adminToken)
    ? ['CLIENT_API_KEYS must not contain ADMIN_TOKEN: every client would be an admin', ...checkTelnyx(config)]
    : checkTelnyx(config);
}

/** With half of it a call would ring for ever, or be answered and never meet its agent. */
function checkTelnyx(config: Config<typeof PICKS>): string[] {
  const { telnyxApiKey, telnyxPublicKey, telnyxLink, telnyxSipUri, telnyxStreamUrl } = config;
  if (telnyxApiKey === undefined && telnyxPublicKey === undefined) return [];
  const missing = [
    telnyxApiKey === undefined && 'TELNYX_API_KEY is missing: TELNYX_PUBLIC_KEY is of no use without it',
    telnyxPublicKey === undefined && 'TELNYX_PUBLIC_KEY is missing: TELNYX_API_KEY is of no use without it',
    telnyxLink === undefined && 'TELNYX_LINK is missing: it says how phone calls get to their agents',
    telnyxLink === 'sip' && telnyxSipUri === undefined && 'TELNYX_SIP_URI is missing: TELNYX_LINK is sip',
    telnyxLink === 'stream' &&
      telnyxStreamUrl === undefined &&
      'TELNYX_STREAM_URL is missing: TELNYX_LINK is stream',
  ];
  return missing.filter((problem) => problem !== false);
}
