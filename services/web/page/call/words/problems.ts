import { ERRORS, type ErrorCode } from '@greenroom/contracts';
import type { ApiProblem } from '../../shared/ask.js';

/** What went wrong, in words for a caller, and whether trying again makes sense. */
export interface Problem {
  readonly code: string;
  readonly title: string;
  readonly text: string;
  /** By this machine's clock; before that another attempt would fail. */
  readonly retryAt?: number;
}

type Words = readonly [title: string, text: string];

const BUSY_HERE: Words = [
  'Too many attempts',
  'There were many calls from here within a minute. Wait a moment.',
];
const DOWN: Words = [
  'The service is not there right now',
  'Nothing was started and nothing is lost. It should be back shortly.',
];

/** Errors that asking for a call, or for a way into its room, may have. docs/errors.md says the same to programmers. */
export const PROBLEM_WORDS = {
  invalid_json: ['That did not work', 'The service did not understand this page. Load it again.'],
  invalid_request: ['Something in the form is not right', 'Check your name: it may have 100 characters.'],
  payload_too_large: ['Something in the form is not right', 'What was sent is too long.'],
  unsupported_media_type: ['That did not work', 'The service did not understand this page. Load it again.'],
  unknown_profile: ['This kind of agent is not here any more', 'Go back and choose another one.'],
  unauthorized: ['A key is needed', 'This service can be used only with a key. Ask its operator for one.'],
  forbidden: ['Not allowed', 'This key may not start calls.'],
  user_busy: ['A call is under way already', 'This user has a call elsewhere. End it there first.'],
  idempotency_mismatch: ['That did not work', 'Try again.'],
  rate_limited: BUSY_HERE,
  client_limit: [
    'Too many calls at once',
    'As many calls come from here as may at once. End one of them first.',
  ],
  too_many_streams: BUSY_HERE,
  internal: ['Something went wrong', 'The service has made a mistake. Try again.'],
  redis_unavailable: DOWN,
  api_unreachable: DOWN,
  livekit_unavailable: [
    'Calls cannot be put through right now',
    'The audio server does not answer. Nothing was started.',
  ],
  recovering: [
    'The service is coming back',
    'It is putting its records in order after a failure. A moment, please.',
  ],
  at_capacity: ['Everybody is talking', 'All agents are in calls, and the line is full, too.'],
  profile_failing: [
    'These agents do not start',
    'Agents of this kind have failed to start several times. Choose another kind, or try later.',
  ],
  no_host: ['No agent available', 'There is no machine right now that could run an agent.'],
  host_unreachable: DOWN,
  shutting_down: DOWN,
  request_timeout: ['That took too long', 'The service did not answer in time.'],
  session_not_joinable: ['The call cannot be joined', 'It is ending, or has not begun.'],
  session_ended: ['The call is over', 'It has ended meanwhile.'],
  session_not_found: ['The call is not known', 'It may have ended long ago.'],
  unreachable: ['The service cannot be reached', 'Check your connection to the internet.'],
} as const satisfies Partial<Record<ErrorCode | 'unreachable', Words>>;

/** Until then nobody need try again. */
export function problemFrom(error: ApiProblem, now: number): Problem {
  const [title, text] = wordsFor(error.code, error.message);
  return {
    code: error.code,
    title,
    text,
    ...(error.retryAfterMs !== undefined && { retryAt: now + error.retryAfterMs }),
  };
}

/** An error that this page has no words for speaks for itself. */
function wordsFor(code: string, message: string): Words {
  if (Object.hasOwn(PROBLEM_WORDS, code)) return PROBLEM_WORDS[code as keyof typeof PROBLEM_WORDS];
  const title = Object.hasOwn(ERRORS, code) ? ERRORS[code as ErrorCode].title : 'That did not work';
  return [title, message];
}

/** Why no agent came, as the session itself says. */
export function problemOfStart(error: string | undefined): Problem {
  return {
    code: 'start_failed',
    title: 'The agent could not start',
    text: error ?? 'No agent could be started for this call.',
  };
}
