import { Counter, createMetrics, Gauge, Histogram, type Registry } from '@greenroom/service-kit';

export interface ApiMetrics {
  readonly registry: Registry;
  readonly requestSeconds: Histogram<'method' | 'route' | 'status'>;
  /** By outcome: `warm`, `cold`, `existing`, or why not. */
  readonly starts: Counter<'outcome'>;
  /** What LiveKit's webhooks said, by outcome: `woken`, `closed` (the room of a session that is over), `ignored` (not of ours, or of no interest), `refused` (not signed). */
  readonly livekitEvents: Counter<'outcome'>;
  /** What Telnyx's webhooks said, by outcome: `taken`, `duplicate`, `ignored` (of no call of ours, or of no interest), `refused` (not signed). */
  readonly telnyxEvents: Counter<'outcome'>;
  /** Attempts at commands for phone calls, by outcome: `done`, `gone`, `refused`, `failed`, `late`, `held_back`. */
  readonly telnyxCommands: Counter<'command' | 'outcome'>;
  /** 1 while Telnyx fails. */
  readonly telnyxBreakerOpen: Gauge;
  /** 1 while starts are refused because LiveKit does not answer. */
  readonly livekitBreakerOpen: Gauge;
  /** What was commanded for silent calls: `checkin`, `goodbye`, `apology`, `end`, `restart_agent`, `unsay`. */
  readonly callCommands: Counter<'command'>;
  /** Sessions that were ended for their call, by reason. */
  readonly callEnds: Counter<'reason'>;
  /** From when something was due for a call until it was decided. */
  readonly callLateness: Histogram;
  /** Event and log streams that clients have open. */
  readonly openStreams: Gauge;
  /** Of the whole deployment, as Redis has it: the same at each api. */
  readonly line: LineMetrics;
  readonly maxSessions: Gauge;
}

export interface LineMetrics {
  readonly length: Gauge;
  readonly expectedWaitSeconds: Gauge;
  readonly served: Gauge;
  readonly waitedSeconds: Gauge;
  readonly abandoned: Gauge;
}

export function createApiMetrics(): ApiMetrics {
  const registry = createMetrics('api');
  return {
    registry,
    requestSeconds: new Histogram({
      name: 'greenroom_http_request_duration_seconds',
      help: 'From the arrival of a request to the end of its answer',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers: [registry],
    }),
    starts: new Counter({
      name: 'greenroom_session_starts_total',
      help: 'Starts that were asked for, by outcome',
      labelNames: ['outcome'],
      registers: [registry],
    }),
    livekitEvents: new Counter({
      name: 'greenroom_livekit_webhooks_total',
      help: 'Webhooks that arrived, by outcome',
      labelNames: ['outcome'],
      registers: [registry],
    }),
    telnyxEvents: new Counter({
      name: 'greenroom_telnyx_webhooks_total',
      help: 'Webhooks of phone calls that arrived, by outcome',
      labelNames: ['outcome'],
      registers: [registry],
    }),
    telnyxCommands: new Counter({
      name: 'greenroom_telnyx_commands_total',
      help: 'Attempts at commands for phone calls, by outcome',
      labelNames: ['command', 'outcome'],
      registers: [registry],
    }),
    telnyxBreakerOpen: new Gauge({
      name: 'greenroom_telnyx_breaker_open',
      help: '1 while Telnyx fails and commands for phone calls wait',
      registers: [registry],
    }),
    livekitBreakerOpen: new Gauge({
      name: 'greenroom_livekit_breaker_open',
      help: '1 while starts are refused because LiveKit does not answer',
      registers: [registry],
    }),
    callCommands: new Counter({
      name: 'greenroom_call_commands_total',
      help: 'What was commanded for silent calls, each once however often it was sent',
      labelNames: ['command'],
      registers: [registry],
    }),
    callEnds: new Counter({
      name: 'greenroom_call_ends_total',
      help: 'Sessions that were ended for their call, by reason',
      labelNames: ['reason'],
      registers: [registry],
    }),
    callLateness: new Histogram({
      name: 'greenroom_call_lateness_seconds',
      help: 'From when something was due for a call until it was decided',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5],
      registers: [registry],
    }),
    openStreams: new Gauge({
      name: 'greenroom_open_streams',
      help: 'Event and log streams that clients have open',
      registers: [registry],
    }),
    line: createLineMetrics(registry),
    maxSessions: new Gauge({
      name: 'greenroom_max_sessions',
      help: 'MAX_SESSIONS that holds for all apis: that of the one started last',
      registers: [registry],
    }),
  };
}

function createLineMetrics(registry: Registry): LineMetrics {
  const gauge = (name: string, help: string) =>
    new Gauge({
      name: `greenroom_line_${name}`,
      help: `${help} (of the whole deployment)`,
      registers: [registry],
    });
  return {
    length: gauge('length', 'Callers who wait in line'),
    expectedWaitSeconds: gauge(
      'expected_wait_seconds',
      'How long who stands at the end of the line is expected to wait',
    ),
    served: gauge('served', 'Callers whose turn has come since the data began'),
    waitedSeconds: gauge('waited_seconds', 'What those have waited together'),
    abandoned: gauge('abandoned', 'Callers who stopped asking before their turn'),
  };
}
