import { ERRORS, type ErrorCode, type ProblemBody } from '@greenroom/contracts';
import { EXIT, type ExitCode } from '../exit-codes.js';

export type ErrorBody = Partial<ProblemBody> & { endReason?: string; durationMs?: number };

/** The api said no, or could not be reached. The message says what it said. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status; undefined where nobody answered. */
  readonly status: number | undefined;
  readonly body: ErrorBody;
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, status?: number, body: ErrorBody = {}, retryAfterSeconds?: number) {
    super(message);
    this.status = status;
    this.body = body;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** A code of docs/errors.md; `unreachable` where nobody answered. */
  get code(): string {
    return this.status === undefined ? 'unreachable' : (this.body.code ?? `http_${this.status}`);
  }

  get exitCode(): ExitCode {
    if (this.code === 'unknown_profile') return EXIT.notFound;
    // The route itself: an older api, or something else at that address.
    if (this.code === 'not_found') return EXIT.refused;
    return EXIT_BY_STATUS[this.status ?? 0] ?? EXIT.refused;
  }

  /** What to do now, where there is something. */
  get next(): string | undefined {
    if (this.status === undefined)
      return 'Start it with: npm start. Or name another with --api-url or API_URL.';
    const advice = ADVICE[this.code as ErrorCode];
    if (advice !== undefined) return advice;
    const isRetryable = this.code in ERRORS && ERRORS[this.code as ErrorCode].retryable;
    if (this.retryAfterSeconds !== undefined) return `Try again in ${this.retryAfterSeconds} s.`;
    return isRetryable ? 'Try again in a moment.' : undefined;
  }
}

const EXIT_BY_STATUS: Readonly<Record<number, ExitCode>> = {
  400: EXIT.usage,
  401: EXIT.unauthorized,
  403: EXIT.unauthorized,
  404: EXIT.notFound,
  413: EXIT.usage,
};

const TOKEN_ADVICE =
  'Put the admin token of that Greenroom into the environment: ADMIN_TOKEN=… (npm start keeps its own in .greenroom/dev-secrets.env).';

const ADVICE: Partial<Record<ErrorCode, string>> = {
  unauthorized: TOKEN_ADVICE,
  forbidden: TOKEN_ADVICE,
  not_found: 'That Greenroom may be older than this command; greenroom doctor compares the versions.',
  session_not_found: 'greenroom ps lists the sessions that live, greenroom ps --history those that are over.',
  session_ended: 'greenroom show ID tells how it went.',
  host_not_found: 'greenroom hosts lists those that are known.',
  host_reachable: 'Drain it instead: greenroom drain HOST.',
  host_unreachable: 'greenroom hosts shows which hosts are heard.',
  unknown_profile: 'greenroom pool lists the profiles.',
  no_host: 'greenroom doctor says why no spawner is heard.',
  profile_failing: 'greenroom pool shows the reason; greenroom doctor looks at what agents need.',
  redis_unavailable: 'greenroom doctor says what is wrong with Redis.',
  livekit_unavailable: 'greenroom doctor says what is wrong with LiveKit.',
};
