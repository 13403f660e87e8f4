import type { DoorResponse } from '@greenroom/contracts';
import type { ApiContext } from '../context.js';
import { defineRoute, type Route } from '../http/route.js';
import { Door, QUEUE_PAGE_PATH } from '../queue-page/door.js';
import { isoTime } from '../sessions/session-view.js';

/** POST /api/admin/door: opens the queue page, which cannot send the admin token, to the browser that asks. */
export function adminDoor({ config }: ApiContext): Route {
  return defineRoute({
    method: 'post',
    paths: ['/api/admin/door'],
    access: 'admin',
    handle({ request }) {
      const { cookie, expiresAtMs } = new Door(config.adminToken).open({ isSecure: request.secure });
      const body: DoorResponse = { success: true, path: QUEUE_PAGE_PATH, expiresAt: isoTime(expiresAtMs) };
      return { status: 200, body, headers: { 'Set-Cookie': cookie } };
    },
  });
}
