import { createHmac, timingSafeEqual } from 'node:crypto';

/** Where the queue page is, and the only place that its cookie is sent to. */
export const QUEUE_PAGE_PATH = '/api/admin/queues';

const COOKIE = 'greenroom_door';
const OPEN_MS = 15 * 60_000;

export interface DoorPass {
  /** Value of a Set-Cookie header. */
  readonly cookie: string;
  readonly expiresAtMs: number;
}

/**
 * Lets admins see a page that cannot send their token: they show the token once, and a cookie opens the page for a while. The
 * cookie says until when, signed with the token, so that any instance can tell and none needs to remember.
 */
export class Door {
  readonly #adminToken: string | undefined;
  readonly #now: () => number;

  /** @param adminToken without one the door stays shut */
  constructor(adminToken: string | undefined, now: () => number = Date.now) {
    this.#adminToken = adminToken;
    this.#now = now;
  }

  /** @param isSecure whether the request came over HTTPS; then the cookie goes over nothing else */
  open({ isSecure }: { isSecure: boolean }): DoorPass {
    const expiresAtMs = this.#now() + OPEN_MS;
    const value = `${expiresAtMs}.${this.#sign(expiresAtMs)?.toString('base64url')}`;
    const attributes = [
      `Path=${QUEUE_PAGE_PATH}`,
      `Max-Age=${OPEN_MS / 1000}`,
      'HttpOnly',
      'SameSite=Strict',
      ...(isSecure ? ['Secure'] : []),
    ];
    return { cookie: [`${COOKIE}=${value}`, ...attributes].join('; '), expiresAtMs };
  }

  /** @param cookies the Cookie header of a request */
  isOpenTo(cookies: string | undefined): boolean {
    const [, until = '', signature = ''] = PASS.exec(cookies ?? '') ?? [];
    const given = Buffer.from(signature, 'base64url');
    const expected = this.#sign(Number(until));
    if (expected === undefined || given.length !== expected.length) return false;
    return timingSafeEqual(given, expected) && this.#now() < Number(until);
  }

  #sign(expiresAtMs: number): Buffer | undefined {
    if (this.#adminToken === undefined) return undefined;
    return createHmac('sha256', this.#adminToken).update(`queue page until ${expiresAtMs}`).digest();
  }
}

const PASS = new RegExp(`(?:^|; *)${COOKIE}=(\\d{1,15})\\.([A-Za-z0-9_-]{1,64})(?:;|$)`);
