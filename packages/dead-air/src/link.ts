import { LINKING_MS } from './bounds.js';
import type { CallEvent } from './events.js';

/** The way from the caller to the agent, where it is a leg of its own. Times are 0 for what is not told. */
export interface Link {
  startedAt: number;
  madeAt: number;
  failedAt: number;
}

/** Left out: nothing is told of one. */
interface Linked {
  readonly link?: Link;
}

const UNTOLD: Link = { startedAt: 0, madeAt: 0, failedAt: 0 };

export function noteLink(
  link: Link = UNTOLD,
  { kind, at }: Extract<CallEvent, { kind: `link_${string}` }>,
): Link {
  switch (kind) {
    case 'link_started':
      return { ...link, startedAt: Math.max(link.startedAt, at) };
    case 'link_made':
      return { ...link, madeAt: Math.max(link.madeAt, at) };
    case 'link_failed':
      return { ...link, failedAt: Math.max(link.failedAt, at) };
  }
}

/** When it turned out that the two will never hear each other. A leg that ends after it was made ends with its call. */
export function linkFailedAt({ link }: Linked): number | undefined {
  return link !== undefined && link.failedAt > 0 && link.madeAt === 0 ? link.failedAt : undefined;
}

/** Until then an agent that does not answer may not hear the caller yet. */
export function linkDueBy({ link }: Linked): number {
  return link === undefined || link.startedAt === 0 || link.madeAt > 0 ? 0 : link.startedAt + LINKING_MS;
}

/** From when the agent hears the caller; 0 where it does from the beginning, or nobody has told. */
export function linkMadeAt({ link }: Linked): number {
  return link?.madeAt ?? 0;
}
