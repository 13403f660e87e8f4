/** One row of the closed list of errors. `docs/errors.md` is held to this list by a test. */
export interface ErrorDefinition {
  /** HTTP status. */
  readonly status: number;
  /** Whether the same request can succeed later without a change. */
  readonly retryable: boolean;
  /** Short name for people; the problem+json `title`. */
  readonly title: string;
  /** What to do next, in a sentence; the default problem+json `detail`. */
  readonly detail: string;
}

export const ERRORS = {
  invalid_json: {
    status: 400,
    retryable: false,
    title: 'Malformed JSON',
    detail: 'The body is not valid JSON. Send one JSON object with Content-Type: application/json.',
  },
  invalid_request: {
    status: 400,
    retryable: false,
    title: 'Invalid request',
    detail: 'A field is unknown, missing or of the wrong type. Correct the fields named in this message.',
  },
  unknown_profile: {
    status: 400,
    retryable: false,
    title: 'Unknown profile',
    detail: 'No agent of this kind is deployed here. GET /api/profiles lists those that are.',
  },
  unauthorized: {
    status: 401,
    retryable: false,
    title: 'Not authorized',
    detail: 'Send a valid key as Authorization: Bearer KEY.',
  },
  forbidden: {
    status: 403,
    retryable: false,
    title: 'Forbidden',
    detail: 'This key may not do that. Admin routes need the admin token.',
  },
  listen_in_off: {
    status: 403,
    retryable: false,
    title: 'Listening in is off',
    detail: 'Nobody may listen in on calls of this deployment. LISTEN_IN=announced allows it.',
  },
  not_found: {
    status: 404,
    retryable: false,
    title: 'Not found',
    detail: 'There is nothing at this address.',
  },
  session_not_found: {
    status: 404,
    retryable: false,
    title: 'Session not found',
    detail: 'No session has this id. It may have ended more than an hour ago.',
  },
  session_ended: {
    status: 404,
    retryable: false,
    title: 'Session ended',
    detail: 'This session is over. Start a new one.',
  },
  host_not_found: {
    status: 404,
    retryable: false,
    title: 'No such host',
    detail: 'There is no host with this id. GET /api/hosts lists those that are known.',
  },
  log_gone: {
    status: 404,
    retryable: false,
    title: 'Log not kept',
    detail: 'The log of this session is not kept any more.',
  },
  transcript_not_kept: {
    status: 404,
    retryable: false,
    title: 'No transcript',
    detail: 'No transcript of this session is kept. How long they are is set by TRANSCRIPT_RETENTION.',
  },
  method_not_allowed: {
    status: 405,
    retryable: false,
    title: 'Method not allowed',
    detail: 'This address exists, but not for this method. The Allow header lists those that it takes.',
  },
  user_busy: {
    status: 409,
    retryable: false,
    title: 'User already has a session',
    detail: 'This user has a live session. Send its sessionId along to get it back, or end it first.',
  },
  session_not_joinable: {
    status: 409,
    retryable: false,
    title: 'Session cannot be joined',
    detail:
      'This session has no room to join: it waits in line, is ending, failed, or belongs to no caller yet.',
  },
  session_not_restartable: {
    status: 409,
    retryable: false,
    title: 'Session cannot be restarted',
    detail: 'Only a call with an agent can get a new one; this session has none, is ending or failed.',
  },
  caller_not_told: {
    status: 409,
    retryable: true,
    title: 'Caller was not told',
    detail:
      'Nobody may listen in before the caller was told, and the agent did not say so in time. Try again.',
  },
  no_dead_air: {
    status: 409,
    retryable: false,
    title: 'Silence is not watched for',
    detail: 'Nobody watches for silence in this session: its profile has no dead_air_settings.',
  },
  host_reachable: {
    status: 409,
    retryable: false,
    title: 'Host is not lost',
    detail: 'This host was heard within the last 15 seconds. Drain it instead, or stop it first.',
  },
  payload_too_large: {
    status: 413,
    retryable: false,
    title: 'Body too large',
    detail: 'Bodies are limited to 64 KiB.',
  },
  unsupported_media_type: {
    status: 415,
    retryable: false,
    title: 'Unsupported media type',
    detail: 'Send the body as application/json in UTF-8.',
  },
  idempotency_mismatch: {
    status: 422,
    retryable: false,
    title: 'Idempotency key used for another request',
    detail: 'This Idempotency-Key was used with another body. Use a new key for a new request.',
  },
  rate_limited: {
    status: 429,
    retryable: true,
    title: 'Too many requests',
    detail: 'The limit of starts a minute is reached. Try again after the time in Retry-After.',
  },
  client_limit: {
    status: 429,
    retryable: true,
    title: 'Too many sessions of one client',
    detail:
      'This client has as many sessions as one may have at once, those in line included. End one, or try again later.',
  },
  too_many_streams: {
    status: 429,
    retryable: true,
    title: 'Too many open streams',
    detail:
      'This client, or this instance, has as many streams open as it may. Close some, or try again later.',
  },
  internal: {
    status: 500,
    retryable: true,
    title: 'Internal error',
    detail: 'Something went wrong on our side. The requestId finds it in the logs.',
  },
  redis_unavailable: {
    status: 503,
    retryable: true,
    title: 'State store unavailable',
    detail: 'Redis cannot be reached right now. Nothing was lost; try again shortly.',
  },
  api_unreachable: {
    status: 503,
    retryable: true,
    title: 'Service unreachable',
    detail:
      'The page is there, but the service behind it does not answer right now. Calls go on; try again shortly.',
  },
  livekit_unavailable: {
    status: 503,
    retryable: true,
    title: 'LiveKit unavailable',
    detail:
      'LiveKit does not answer right now, so no call can begin. Nothing was started; try again shortly.',
  },
  recovering: {
    status: 503,
    retryable: true,
    title: 'Recovering',
    detail: 'The state is being rebuilt after a loss of Redis data. Try again shortly.',
  },
  at_capacity: {
    status: 503,
    retryable: true,
    title: 'At capacity',
    detail: 'All places for callers are taken, and the waiting line is full. Try again shortly.',
  },
  profile_failing: {
    status: 503,
    retryable: true,
    title: 'Agents fail to start',
    detail: 'Agents of this profile have failed to start several times in a row. Try again later.',
  },
  no_host: {
    status: 503,
    retryable: true,
    title: 'No spawner available',
    detail: 'No host that could run an agent has reported lately. Check that a spawner is running.',
  },
  host_unreachable: {
    status: 503,
    retryable: true,
    title: 'Host did not answer',
    detail: 'The spawner that owns this session did not answer within 2 seconds. Try again.',
  },
  shutting_down: {
    status: 503,
    retryable: true,
    title: 'Shutting down',
    detail: 'This instance is stopping. Try again; another one will answer.',
  },
  request_timeout: {
    status: 503,
    retryable: true,
    title: 'Timed out',
    detail: 'The request took too long and was given up. Try again.',
  },
} as const satisfies Record<string, ErrorDefinition>;

export type ErrorCode = keyof typeof ERRORS;

/** An error that a client is meant to see: a code of the closed list, and optionally a better sentence. */
export class CodedError extends Error {
  override readonly name = 'CodedError';
  readonly code: ErrorCode;
  /** Seconds after which trying again makes sense; becomes Retry-After. */
  readonly retryAfterSeconds: number | undefined;
  /** Further members for the problem+json body. */
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    options: {
      detail?: string;
      retryAfterSeconds?: number;
      extra?: Record<string, unknown>;
      cause?: unknown;
    } = {},
  ) {
    super(
      options.detail ?? ERRORS[code].detail,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.extra = options.extra ?? {};
  }
}
