import { choice, integer, list, optional, parsed, seconds, splitList, text, url } from './variable.js';

/** What express takes as `trust proxy`. */
export type TrustProxy = false | number | readonly string[];

/**
 * Every environment variable of Greenroom, for both services. Each service picks the names that it uses; all that are
 * set are checked by both, so that one start shows everything that is wrong. Durations become milliseconds.
 */
export const ENVIRONMENT = {
  REDIS_URL: url({
    about: 'Redis, standalone or Sentinel master, with maxmemory-policy noeviction',
    schemes: ['redis', 'rediss'],
    secret: true,
  }),
  REDIS_KEY_PREFIX: text({
    about: 'In front of every key, where a Redis is shared by deployments',
    default: '',
    pattern: /^[A-Za-z0-9_.:-]{0,64}$/,
    expects: 'at most 64 letters, digits and _ . : -',
  }),
  LIVEKIT_URL: url({
    about: 'LiveKit, as the services and agents reach it',
    schemes: ['ws', 'wss', 'http', 'https'],
  }),
  LIVEKIT_PUBLIC_URL: optional(
    url({
      about: 'LiveKit, as callers reach it; LIVEKIT_URL when empty',
      schemes: ['ws', 'wss', 'http', 'https'],
    }),
  ),
  LIVEKIT_API_KEY: text({ about: 'Key of the LiveKit server' }),
  LIVEKIT_API_SECRET: text({
    about: 'Secret of that key; agents never get it unless AGENT_ENV names it',
    secret: true,
  }),
  PORT: integer({ about: 'Port of the api', default: '8080', min: 0, max: 65_535 }),
  HOST: text({
    about: 'Address that the services listen on; :: is all of them, IPv4 included',
    default: '::',
    pattern: /^[A-Za-z0-9_.:%-]{1,255}$/,
    expects: 'a host name or an IP address',
  }),
  SPAWNER_PORT: integer({ about: 'Port of the spawner', default: '8081', min: 0, max: 65_535 }),
  WEB_PORT: integer({
    about: 'Port of the web service: the call screen and the console',
    default: '3000',
    min: 0,
    max: 65_535,
  }),
  API_URL: url({
    about: 'The api, as the web service reaches it; the command line and the test scripts use it too',
    schemes: ['http', 'https'],
    default: 'http://localhost:8080',
  }),
  ADMIN_TOKEN: optional(
    text({
      about: 'Opens the admin routes; without it they are closed',
      secret: true,
      pattern: /^[\x21-\x7e]{1,512}$/,
      expects: 'at most 512 printable ASCII characters without spaces',
    }),
  ),
  LISTEN_IN: choice({
    about:
      'Whether operators may listen in on calls: off, or announced, which has the agent tell the caller first',
    default: 'off',
    of: ['off', 'announced'],
  }),
  LISTEN_IN_ANNOUNCEMENT: text({
    about: 'What the agent says to a caller who is about to be listened to',
    default: 'Just so you know: a colleague of ours is listening to this call from now on.',
    pattern: /^\S[\s\S]{0,499}$/,
    expects: 'at most 500 characters',
  }),
  CLIENT_API_KEYS: list({
    about: 'Keys of clients, comma separated; without any, clients are open behind the rate limit',
    default: '',
    secret: true,
    item: /^[\x21-\x2b\x2d-\x7e]{1,512}$/,
    items: 'keys of printable ASCII characters without spaces',
  }),
  CORS_ORIGINS: list({
    about: 'Web pages that may call the api from a browser, comma separated; * is any',
    default: '',
    item: /^(\*|[a-z][a-z0-9+.-]*:\/\/[^/\s?#@]+)$/i,
    items: 'origins such as https://app.example.com (no path), or *',
  }),
  TRUST_PROXY: parsed<TrustProxy>({
    about: 'How many proxies stand in front of the api, or their addresses; needed to tell clients apart',
    default: '0',
    expects: 'the number of proxies in front (0 to 9), or a comma-separated list of their addresses',
    parse: parseTrustProxy,
  }),
  RATE_LIMIT_PER_MINUTE: integer({
    about:
      'Starts a minute for one open client; ten times that for one user of a keyed client; 0 is no limit',
    default: '10',
    min: 0,
    max: 1_000_000,
  }),
  MAX_SESSIONS: integer({ about: 'Callers at the same time', default: '50', min: 1, max: 100_000 }),
  QUEUE_MAX: integer({
    about: 'Callers waiting in line beyond that; 0 is no line',
    default: '20',
    min: 0,
    max: 1000,
  }),
  MAX_SESSIONS_PER_CLIENT: integer({
    about:
      'Sessions that one client (a key, or without one an address) may have at once, those in line included; 0 is no limit',
    default: '0',
    min: 0,
    max: 100_000,
  }),
  POOL_TARGET: integer({ about: 'Warm agents held ready', default: '3', min: 0, max: 10_000 }),
  POOL_REFILL_INTERVAL: seconds({
    about: 'How often the pool is looked at besides',
    default: '30',
    min: 0.1,
  }),
  WARM_MAX_AGE: seconds({ about: 'Age at which a warm agent is replaced', default: '3600', min: 1 }),
  SPAWN_CONCURRENCY: integer({
    about: 'Agents being started at once on a host',
    default: '4',
    min: 1,
    max: 1000,
  }),
  SPAWN_ATTEMPTS: integer({ about: 'Launches before a start has failed', default: '3', min: 1, max: 100 }),
  RESTART_INTENSITY: integer({
    about: 'Times that an agent which crashed during a call is started again, within RESTART_PERIOD',
    default: '3',
    min: 0,
    max: 1000,
  }),
  RESTART_PERIOD: seconds({ about: 'Time over which those restarts are counted', default: '300', min: 1 }),
  AGENT_HUNG_AFTER: seconds({
    about:
      'An agent that has been stopped (SIGSTOP), or has not been in its room any more, for this long is ended and started again',
    default: '15',
    min: 0.5,
  }),
  AGENT_HEALTH_TIMEOUT: seconds({
    about:
      'Silence after which your AGENT_COMMAND hangs, where it reports health events; 0 if it reports none',
    default: '0',
    min: 0,
  }),
  BOT_STARTUP_TIMEOUT: seconds({ about: 'Time that an agent has to get ready', default: '30', min: 0.1 }),
  SESSION_TIMEOUT: seconds({ about: 'Longest call', default: '14400', min: 1 }),
  TERMINATION_GRACE: seconds({ about: 'From SIGTERM to SIGKILL', default: '2', min: 0 }),
  JOIN_GRACE: seconds({
    about:
      'Time that a caller has to join after it got its room, and that a launch waits where no host runs its profile; 0 is no limit',
    default: '120',
    min: 0,
  }),
  LEAVE_GRACE: seconds({
    about: 'Time that a caller who left has to come back, and whoever was cut off with LiveKit',
    default: '30',
    min: 0,
  }),
  HEALTH_CHECK_INTERVAL: seconds({
    about: 'How often agents and their rooms are looked at',
    default: '60',
    min: 0.1,
  }),
  STALE_SWEEP_INTERVAL: seconds({ about: 'How often leftovers are looked for', default: '300', min: 0.1 }),
  HOST_ID: optional(
    text({
      about: 'Name of this machine among the spawners; kept in STATE_DIR when empty',
      pattern: /^[A-Za-z0-9_.-]{1,64}$/,
      expects: '1 to 64 letters, digits and _ . -',
    }),
  ),
  HOST_CAPACITY: integer({
    about: 'Agent processes on this host, warm ones included',
    default: '60',
    min: 1,
    max: 100_000,
  }),
  PLACEMENT: choice({
    about: 'Which host gets a new agent. spread: the least loaded; pack: the fullest that has room',
    default: 'spread',
    of: ['spread', 'pack'],
  }),
  MEMORY_LOW_WATER_MB: integer({
    about: 'Free MiB of memory below which a host takes no more agents; 0 is no limit',
    default: '256',
    min: 0,
    max: 100_000_000,
  }),
  HOST_LOST_AFTER: seconds({
    about:
      'Silence after which a host is lost, once LiveKit shows no agent of it in a room: its calls move (15 at least)',
    default: '120',
    min: 1,
  }),
  SHUTDOWN_MODE: choice({
    about: 'handover: calls stay and the next spawner adopts them; drain: wait for them',
    default: 'handover',
    of: ['handover', 'drain'],
  }),
  DRAIN_TIMEOUT: seconds({ about: 'Longest wait of a drain', default: '14400', min: 0 }),
  API_DRAIN_DELAY: seconds({
    about:
      'How long an api that is stopped still takes requests while /readyz says no: longer than your proxy takes to notice',
    default: '5',
    min: 0,
  }),
  STATE_DIR: text({ about: 'Records of launches and agent logs', default: '.greenroom' }),
  AGENT_COMMAND: optional(text({ about: 'Command line of your agent; the reference agent when empty' })),
  AGENT_CWD: optional(text({ about: 'Directory that it runs in' })),
  AGENT_ENV: list({
    about: 'Names of the variables that agents get from this environment, comma separated',
    default: '',
    item: /^[A-Za-z_][A-Za-z0-9_]*$/,
    items: 'names of environment variables',
  }),
  AGENT_MEMORY_LIMIT_MB: integer({
    about:
      'Memory of one agent with all that it starts, in MiB; one that takes more is killed; 0 is no limit',
    default: '0',
    min: 0,
    max: 100_000_000,
  }),
  AGENT_PROCESS_LIMIT: integer({
    about: 'Processes of one agent (threads too, where a cgroup holds the limit); 0 is no limit',
    default: '512',
    min: 0,
    max: 4_000_000,
  }),
  DISK_LOW_WATER_MB: integer({
    about: 'Free MiB where STATE_DIR lies, below which the oldest agent logs are deleted; 0 never does',
    default: '256',
    min: 0,
    max: 100_000_000,
  }),
  PROFILES_FILE: optional(
    text({ about: 'YAML file with several kinds of agent, instead of AGENT_COMMAND (docs/profiles.md)' }),
  ),
  TELNYX_API_KEY: optional(
    text({
      about:
        'API key of your Telnyx account; with TELNYX_PUBLIC_KEY phone calls are taken (docs/telephony.md)',
      secret: true,
      pattern: /^[\x21-\x7e]{1,512}$/,
      expects: 'at most 512 printable ASCII characters without spaces',
    }),
  ),
  TELNYX_PUBLIC_KEY: optional(
    text({
      about: 'Public key of that account (base64), which its webhooks are verified with',
      pattern: /^[A-Za-z0-9+/]{43}=$/,
      expects: 'the base64 text of an Ed25519 public key, 44 characters long',
    }),
  ),
  TELNYX_API_URL: url({
    about: 'Where commands for phone calls go, version included',
    default: 'https://api.telnyx.com/v2',
    schemes: ['http', 'https'],
  }),
  TELNYX_LINK: optional(
    choice({
      about:
        'How a phone call gets to its agent. sip: to TELNYX_SIP_URI, into the LiveKit room; stream: its audio to TELNYX_STREAM_URL',
      of: ['sip', 'stream'],
    }),
  ),
  TELNYX_SIP_URI: optional(
    text({
      about:
        'SIP address that leads into the room, such as sip:{room}@sip.example.com; {sessionId} may be used too',
      pattern: /^sips?:(?:[^\s{}"<>]|\{room\}|\{sessionId\}){1,1024}$/,
      expects:
        'an address that starts with sip: or sips:, with {room} and {sessionId} as its only placeholders',
    }),
  ),
  TELNYX_STREAM_URL: optional(
    text({
      about:
        'WebSocket address of your audio bridge, such as wss://bridge.example.com/{sessionId}; {room} may be used too',
      pattern: /^wss?:\/\/(?:[^\s{}"<>]|\{room\}|\{sessionId\}){1,1024}$/,
      expects:
        'an address that starts with ws:// or wss://, with {room} and {sessionId} as its only placeholders',
    }),
  ),
  TELNYX_PROFILE: text({
    about: 'Kind of agent that phone calls get',
    default: 'default',
    pattern: /^[A-Za-z0-9_-]{1,64}$/,
    expects: 'at most 64 letters, digits, _ and -',
  }),
  TELNYX_VOICE: text({
    about: 'Voice that asks whether somebody is there, as Telnyx names its voices',
    default: 'AWS.Polly.Joanna-Neural',
    pattern: /^[\x21-\x7e]{1,256}$/,
    expects: 'at most 256 printable ASCII characters without spaces',
  }),
  TELNYX_LANGUAGE: text({
    about: 'Language of that voice and of what callers say',
    default: 'en-US',
    pattern: /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$/,
    expects: 'a language such as en-US',
  }),
  TELNYX_TRANSCRIPTION: choice({
    about: 'Whether Telnyx transcribes phone calls, so that a word of the caller is noticed',
    default: 'on',
    of: ['on', 'off'],
  }),
  TRANSCRIPT_RETENTION: seconds({
    about: 'How long transcripts are kept after a call, for admins; 0 keeps none',
    default: '0',
    min: 0,
  }),
  HISTORY_RETENTION_DAYS: integer({
    about: 'Days that ended sessions are listed; 0 keeps none',
    default: '30',
    min: 0,
    max: 3650,
  }),
  HISTORY_MAX: integer({
    about: 'Most ended sessions that are listed, about 1.7 KB of Redis each; 0 keeps none',
    default: '10000',
    min: 0,
    max: 10_000_000,
  }),
  LOG_RETENTION_DAYS: integer({ about: 'Days that agent logs are kept', default: '7', min: 0, max: 3650 }),
  LOG_LEVEL: choice({
    about: 'Least important lines that are logged',
    default: 'info',
    of: ['error', 'warn', 'info', 'http', 'verbose', 'debug', 'silly'],
  }),
  FAULT_AT: optional(
    choice({
      about:
        'For tests only, refused where NODE_ENV is production: the spawner kills itself when a launch or an end gets there',
      of: ['claimed', 'spawned', 'recorded', 'committed', 'released', 'killing'],
    }),
  ),
  TRACE_STEPS: optional(
    choice({
      about:
        'For tests only, refused where NODE_ENV is production: 1 appends every step of state to a stream that grows',
      of: ['1'],
    }),
  ),
  NODE_ENV: text({ about: 'production turns on the optimizations of libraries', default: 'production' }),
} as const;

export type VariableName = keyof typeof ENVIRONMENT;

export const VARIABLE_NAMES = Object.keys(ENVIRONMENT) as readonly VariableName[];

/** `true` is what people write for one proxy; to trust any number of them would let anyone forge an address. */
function parseTrustProxy(value: string): TrustProxy | undefined {
  if (value === 'true') return 1;
  if (value === 'false' || value === '0') return false;
  if (/^\d$/.test(value)) return Number(value);
  const addresses = splitList(value);
  return addresses.length > 0 && addresses.every(isAddress) ? addresses : undefined;
}

function isAddress(value: string): boolean {
  return (
    /^(loopback|linklocal|uniquelocal)$/.test(value) ||
    /^[0-9a-f.:]*[.:][0-9a-f.:]*(\/\d{1,3})?$/i.test(value)
  );
}
