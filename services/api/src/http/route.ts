import { CodedError } from '@greenroom/contracts';
import type { Express, RequestHandler, Response } from 'express';
import Joi from 'joi';
import type { Access, Authenticate } from './authenticate.js';
import { type Answer, type Call, factsOf } from './call.js';
import { addressOf } from './rate-limit.js';
import { readJsonBody, readRawBody } from './read-body.js';
import { validateBody, validateQuery } from './validate.js';

/** One endpoint: who may call it, what it takes, what it does. */
export interface Route<Body = unknown, Query = unknown> {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** The first is the one in logs and metrics. */
  readonly paths: readonly [string, ...string[]];
  readonly access: Access;
  readonly body?: Joi.ObjectSchema<Body>;
  /** The handler gets the body as it came, in `request.body`: a signature is over every byte of it. */
  readonly takesRawBody?: boolean;
  readonly query?: Joi.ObjectSchema<Query>;
  /** Which limit counts it. */
  readonly limit?: LimitName;
  /** Answers, or has answered through `call.response` and returns undefined. */
  readonly handle: (call: Call<Body, Query>) => Answer | undefined | Promise<Answer | undefined>;
}

export type LimitName = 'start' | 'token';

export interface RouteContext {
  readonly authenticate: Authenticate;
  readonly limits: Readonly<Record<LimitName, RequestHandler>>;
}

/** What is not known is refused in the query as in the body: a filter that is ignored would answer for all. */
const NO_QUERY = Joi.object<Record<string, never>>({});

/** Forgets the types of body and query, which its own schemas guarantee. */
export function defineRoute<Body, Query>(route: Route<Body, Query>): Route {
  return route as unknown as Route;
}

/**
 * Puts the routes on the app, path by path, each with an answer for other methods behind it. So a path that is written
 * out must stand before one with a parameter that would match it too. The order of checks: who asks, is the body JSON,
 * do body and query fit the schema, is it within the limit. So nothing is written for a request that is refused.
 */
export function mountRoutes(app: Express, routes: readonly Route[], context: RouteContext): void {
  for (const [path, ofPath] of groupByPath(routes)) {
    for (const route of ofPath) app[route.method](path, ...handlersOf(route, context));
    app.all(path, refuseMethod(path, ofPath));
  }
}

function handlersOf(route: Route, { authenticate, limits }: RouteContext): RequestHandler[] {
  const identify: RequestHandler = (request, response, next) => {
    const facts = factsOf(response);
    facts.route = route.paths[0];
    facts.client = authenticate(request.get('Authorization'), route.access);
    next();
  };
  const check: RequestHandler = (request, response, next) => {
    const facts = factsOf(response);
    facts.query = validateQuery(route.query ?? NO_QUERY, request.query);
    facts.body = route.body ? validateBody(route.body, request.body) : undefined;
    next();
  };
  const answer: RequestHandler = async (request, response) => {
    const { body, query, client, requestId, arrivedAtMs } = factsOf(response);
    const id = String(request.params.id ?? '');
    const address = addressOf(request.ip);
    send(
      response,
      await route.handle({ body, query, id, client, address, requestId, arrivedAtMs, request, response }),
    );
  };
  return [
    identify,
    ...(route.body ? readJsonBody() : []),
    ...(route.takesRawBody ? [readRawBody()] : []),
    check,
    ...(route.limit ? [limits[route.limit]] : []),
    answer,
  ];
}

/** An answer that comes after the time limit was told is dropped. */
function send(response: Response, answer: Answer | undefined): void {
  if (!answer || response.headersSent) return;
  response
    .status(answer.status)
    .set({ 'Cache-Control': 'no-store', ...answer.headers })
    .json(answer.body);
}

function groupByPath(routes: readonly Route[]): Map<string, Route[]> {
  const byPath = new Map<string, Route[]>();
  for (const route of routes) {
    for (const path of route.paths) byPath.set(path, [...(byPath.get(path) ?? []), route]);
  }
  return byPath;
}

function refuseMethod(path: string, routes: readonly Route[]): RequestHandler {
  const allow = routes
    .map(({ method }) => (method === 'get' ? 'GET, HEAD' : method.toUpperCase()))
    .join(', ');
  return (_request, response) => {
    factsOf(response).route = path;
    response.set('Allow', allow);
    throw new CodedError('method_not_allowed');
  };
}
