import type {
  AdminSessionView,
  EndedSessionView,
  EndSessionRequest,
  EndSessionsRequest,
  EndSessionsResponse,
  HealthView,
  HostView,
  LogLinesView,
  PoolPolicy,
  PoolView,
  ProcessSurvey,
  ProfileView,
  SessionLoadView,
  SessionTimelineView,
} from '@greenroom/contracts';
import type { HttpClient } from './http-client.js';

export interface SessionFilter {
  readonly status?: string | undefined;
  readonly userId?: string | undefined;
  readonly profile?: string | undefined;
  readonly host?: string | undefined;
}

interface Page<T> {
  readonly sessions: T[];
  readonly nextCursor: string | null;
}

const PAGE = 200;

/** The routes that operators use. docs/http-api.md says what each does and throws; all throw ApiError. */
export class AdminApi {
  readonly http: HttpClient;

  constructor(http: HttpClient) {
    this.http = http;
  }

  /** All that live, newest first, warm agents included. */
  async liveSessions(filter: SessionFilter = {}): Promise<AdminSessionView[]> {
    const all: AdminSessionView[] = [];
    let cursor: string | undefined;
    do {
      const query = { ...filter, limit: PAGE, cursor };
      const page = await this.http.ask<Page<AdminSessionView>>('GET', '/api/sessions', { query });
      all.push(...page.sessions);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    return all;
  }

  /** Those that are over, newest end first; a filter may need several pages until there are `limit`. */
  async endedSessions(filter: Omit<SessionFilter, 'status'>, limit: number): Promise<EndedSessionView[]> {
    const all: EndedSessionView[] = [];
    let cursor: string | undefined;
    do {
      const query = { history: 1, ...filter, limit: Math.min(PAGE, limit), cursor };
      const page = await this.http.ask<Page<EndedSessionView>>('GET', '/api/sessions', { query });
      all.push(...page.sessions);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined && all.length < limit);
    return all.slice(0, limit);
  }

  session(id: string): Promise<AdminSessionView> {
    return this.http.ask('GET', `/api/session/${encodeURIComponent(id)}`);
  }

  history(id: string): Promise<EndedSessionView> {
    return this.http.ask('GET', `/api/session/${encodeURIComponent(id)}/history`);
  }

  processes(id: string): Promise<ProcessSurvey> {
    return this.http.ask('GET', `/api/debug/session/${encodeURIComponent(id)}/processes`);
  }

  /** An api of an older version knows no times. */
  logs(id: string, tail: number): Promise<Pick<LogLinesView, 'lines'> & Partial<LogLinesView>> {
    return this.http.ask('GET', `/api/session/${encodeURIComponent(id)}/logs`, { query: { tail } });
  }

  timeline(id: string): Promise<SessionTimelineView> {
    return this.http.ask('GET', `/api/session/${encodeURIComponent(id)}/timeline`);
  }

  load(id: string): Promise<SessionLoadView> {
    return this.http.ask('GET', `/api/session/${encodeURIComponent(id)}/load`);
  }

  end(body: EndSessionRequest): Promise<{ status: string }> {
    return this.http.ask('POST', '/api/session/end', { body });
  }

  endMany(body: EndSessionsRequest): Promise<EndSessionsResponse> {
    return this.http.ask('POST', '/api/sessions/end', { body });
  }

  async pools(): Promise<PoolView[]> {
    return (await this.http.ask<{ pools: PoolView[] }>('GET', '/api/pool')).pools;
  }

  resizePool(
    size: number,
    profile: string | undefined,
  ): Promise<{ profile: string; target: number; previous: number }> {
    return this.http.ask('POST', '/api/pool/resize', { body: { size, ...(profile && { profile }) } });
  }

  setPoolPolicy(
    policy: object,
    profile: string | undefined,
  ): Promise<{ profile: string; policy: PoolPolicy; target: number; previous: number }> {
    return this.http.ask('PUT', '/api/pool/policy', { body: { policy, ...(profile && { profile }) } });
  }

  async profiles(): Promise<ProfileView[]> {
    return (await this.http.ask<{ profiles: ProfileView[] }>('GET', '/api/profiles')).profiles;
  }

  async hosts(): Promise<HostView[]> {
    return (await this.http.ask<{ hosts: HostView[] }>('GET', '/api/hosts')).hosts;
  }

  drain(host: string): Promise<{ host: string; draining: boolean; callsLeft: number }> {
    return this.http.ask('POST', `/api/hosts/${encodeURIComponent(host)}/drain`);
  }

  undrain(host: string): Promise<{ host: string; draining: boolean; callsLeft: number }> {
    return this.http.ask('DELETE', `/api/hosts/${encodeURIComponent(host)}/drain`);
  }

  declareLost(host: string): Promise<{ host: string; moved: number; ended: number; dropped: number }> {
    return this.http.ask('POST', `/api/hosts/${encodeURIComponent(host)}/lost`);
  }

  /** Also of an unhealthy one, which answers 503 with the same body. */
  async health(): Promise<HealthView> {
    return this.http.ask('GET', '/api/health');
  }
}
