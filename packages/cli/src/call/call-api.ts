import type { JoinDetails, SessionView, StartRequest, StartResponse } from '@greenroom/contracts';
import type { HttpClient } from '../api/http-client.js';

/** The public api as a caller uses it. A key opens the start only: after that the id is enough, as for any caller. */
export class CallApi {
  readonly #http: HttpClient;
  readonly #keyed: HttpClient;

  constructor(http: HttpClient, keyed: HttpClient) {
    this.#http = http;
    this.#keyed = keyed;
  }

  start(body: StartRequest): Promise<StartResponse> {
    return this.#keyed.ask('POST', '/api/session/start', { body });
  }

  session(sessionId: string): Promise<SessionView> {
    return this.#http.ask('GET', `/api/session/${sessionId}`);
  }

  async token(sessionId: string, roomName: string): Promise<JoinDetails> {
    const { server_url, participant_token } = await this.#http.ask<{
      server_url: string;
      participant_token: string;
    }>('POST', '/api/token', { body: { sessionId } });
    return { roomName, livekitUrl: server_url, token: participant_token };
  }

  async end(sessionId: string): Promise<void> {
    await this.#http.ask('POST', '/api/session/end', { body: { sessionId } });
  }
}
