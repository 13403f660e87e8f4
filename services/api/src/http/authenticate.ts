import { createHash, timingSafeEqual } from 'node:crypto';
import { CodedError } from '@greenroom/contracts';

/** Who is asking. `scope` keeps the user ids and idempotency keys of different clients apart; it has no `:`. */
export type Client =
  | { readonly kind: 'open'; readonly scope: '' }
  | { readonly kind: 'keyed'; readonly scope: string }
  | { readonly kind: 'admin'; readonly scope: 'admin' };

/**
 * Who may call a route.
 * - `anyone`; `holder`: whoever knows the session's id, which nobody can guess
 * - `client`: a key of CLIENT_API_KEYS, or everyone while there are none
 * - `admin`: the ADMIN_TOKEN
 * - `signed`: the route checks a signature over the body itself
 */
export type Access = 'anyone' | 'holder' | 'client' | 'admin' | 'signed';

export interface Credentials {
  readonly adminToken: string | undefined;
  readonly clientApiKeys: readonly string[];
}

export const OPEN_CLIENT: Client = { kind: 'open', scope: '' };
const ADMIN: Client = { kind: 'admin', scope: 'admin' };

export type Authenticate = (authorization: string | undefined, access: Access) => Client;

/** @returns a function that says who asks, and throws CodedError `unauthorized` or `forbidden` for those who may not */
export function createAuthenticator({ adminToken, clientApiKeys }: Credentials): Authenticate {
  const adminDigest = adminToken === undefined ? undefined : digestOf(adminToken);
  const keys = clientApiKeys.map((key) => ({ digest: digestOf(key), client: keyedClient(key) }));

  const identify = (authorization: string | undefined): Client => {
    const given = bearerOf(authorization);
    if (given === undefined) return OPEN_CLIENT;
    const digest = digestOf(given);
    if (adminDigest && timingSafeEqual(digest, adminDigest)) return ADMIN;
    return keys.find((key) => timingSafeEqual(digest, key.digest))?.client ?? OPEN_CLIENT;
  };

  return (authorization, access) => {
    const client = identify(authorization);
    switch (access) {
      case 'signed':
        return OPEN_CLIENT;
      case 'anyone':
      case 'holder':
        return client;
      case 'client':
        if (client.kind === 'open' && keys.length > 0) throw new CodedError('unauthorized');
        return client;
      case 'admin':
        if (client.kind === 'admin') return client;
        if (adminDigest === undefined) throw new CodedError('unauthorized', { detail: NO_ADMIN_TOKEN });
        throw client.kind === 'keyed'
          ? new CodedError('forbidden')
          : new CodedError('unauthorized', {
              detail: 'Send the admin token as Authorization: Bearer ADMIN_TOKEN.',
            });
    }
  };
}

const NO_ADMIN_TOKEN =
  'Admin routes are closed because no ADMIN_TOKEN is configured. Set ADMIN_TOKEN in the environment of the api ' +
  'and restart it.';

function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer +([\x21-\x7e]+) *$/i.exec(authorization ?? '')?.[1];
}

/** Digests have one length, so that comparing them takes the same time whatever was sent. */
function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

function keyedClient(key: string): Client {
  return { kind: 'keyed', scope: `k${digestOf(key).toString('hex').slice(0, 8)}` };
}
