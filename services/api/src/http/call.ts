import type { Request, Response } from 'express';
import type { Client } from './authenticate.js';

/** One request, checked: what a route's handler gets. */
export interface Call<Body = unknown, Query = unknown> {
  readonly body: Body;
  readonly query: Query;
  /** The `:id` of the path; empty where there is none. */
  readonly id: string;
  readonly client: Client;
  /** Tells clients apart that have no key: their address, an IPv6 one shortened to its network. */
  readonly address: string;
  readonly requestId: string;
  /** By `performance.now()`. */
  readonly arrivedAtMs: number;
  readonly request: Request;
  readonly response: Response;
}

export interface Answer {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What is known of a request before its route has checked it. Lives in `response.locals`. */
export interface RequestFacts {
  requestId: string;
  arrivedAtMs: number;
  /** The route's path as written in the table, for logs and metrics: it holds no id. */
  route: string | undefined;
  client: Client;
  /** Checked by the route's schemas. */
  body: unknown;
  query: unknown;
}

export function factsOf(response: Response): RequestFacts {
  return response.locals as RequestFacts;
}
