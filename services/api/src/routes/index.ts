import type { ApiContext } from '../context.js';
import { ReaderHub, type ReaderHubOptions } from '../events/reader-hub.js';
import type { Route } from '../http/route.js';
import { adminDoor } from './admin-door.js';
import { allEvents } from './all-events.js';
import { debugProcesses } from './debug-processes.js';
import { endSession } from './end-session.js';
import { endSessions } from './end-sessions.js';
import { forgetUser } from './forget-user.js';
import { getLine } from './get-line.js';
import { getPool } from './get-pool.js';
import { getSession } from './get-session.js';
import { getStats } from './get-stats.js';
import { health } from './health.js';
import { drainHost, undrainHost } from './drain-host.js';
import { hostLost } from './host-lost.js';
import { listenIn } from './listen-in.js';
import { listHosts } from './list-hosts.js';
import { listProfiles } from './list-profiles.js';
import { listSessions } from './list-sessions.js';
import { livekitWebhook } from './livekit-webhook.js';
import { mintToken } from './mint-token.js';
import { resizePool } from './resize-pool.js';
import { restartSession } from './restart-session.js';
import { sessionEvents } from './session-events.js';
import { sessionHistory } from './session-history.js';
import { sessionLoad } from './session-load.js';
import { sessionLogs } from './session-logs.js';
import { sessionSettings } from './session-settings.js';
import { sessionTimeline } from './session-timeline.js';
import { sessionTranscript } from './session-transcript.js';
import { setPoolPolicy } from './set-pool-policy.js';
import { startSession } from './start-session.js';
import { telnyxWebhook } from './telnyx-webhook.js';

/** Every endpoint beside /livez, /readyz and /metrics, which both services have. */
export function allRoutes(context: ApiContext, streams: ReaderHubOptions = {}): Route[] {
  const readers = new ReaderHub(context, streams);
  return [
    startSession(context),
    endSession(context),
    getSession(context),
    restartSession(context),
    sessionSettings(context),
    sessionLogs(context),
    sessionEvents(context, readers),
    allEvents(context, readers),
    sessionHistory(context),
    sessionTranscript(context),
    sessionTimeline(context),
    sessionLoad(context),
    listenIn(context),
    mintToken(context),
    listSessions(context),
    endSessions(context),
    forgetUser(context),
    getLine(context),
    getPool(context),
    resizePool(context),
    setPoolPolicy(context),
    getStats(context),
    listProfiles(context),
    listHosts(context),
    drainHost(context),
    undrainHost(context),
    hostLost(context),
    debugProcesses(context),
    adminDoor(context),
    livekitWebhook(context),
    telnyxWebhook(context),
    health(context),
  ];
}
