import type { ProfileView } from '@greenroom/contracts';
import type { PublishedProfile } from '@greenroom/redis-schema';
import type { ApiContext } from '../context.js';
import { defineRoute, type Route } from '../http/route.js';

/** GET /api/profiles: kinds of agent and their voices. */
export function listProfiles({ redis }: ApiContext): Route {
  return defineRoute({
    method: 'get',
    paths: ['/api/profiles'],
    access: 'client',
    async handle() {
      const profiles = await redis.profiles.list();
      return { status: 200, body: { success: true, profiles: profiles.map(viewProfile) } };
    },
  });
}

/** Field by field: a spawner's profile holds a command line and more, and a newer one may publish what we do not know. */
function viewProfile({ name, description, voices }: PublishedProfile): ProfileView {
  return { name, ...(description !== undefined && { description }), voices };
}
