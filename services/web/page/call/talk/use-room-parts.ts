import { useSyncExternalStore } from 'react';
import { LatePart } from './late-part.js';
import type * as Parts from './room-parts.jsx';

const parts = new LatePart(() => import('./room-parts.jsx'));

/** @throws when they could not be loaded; a screen that needs them loads them again */
export const prefetchRoomParts = (): Promise<void> => parts.prefetch();

/**
 * What needs LiveKit's components, and is loaded with them. Not by `lazy`: React would hold back for up to 300 ms what it has
 * suspended once, also where it was loaded long ago; and a caller who gets a warm agent waits no longer than that in all.
 */
export function useRoomParts(): typeof Parts | undefined {
  return useSyncExternalStore(parts.subscribe, parts.get);
}
