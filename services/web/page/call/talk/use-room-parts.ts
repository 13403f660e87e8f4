import { useSyncExternalStore } from 'react';
import type * as Parts from './room-parts.jsx';

type RoomParts = typeof Parts;

let parts: RoomParts | undefined;
const waiting = new Set<() => void>();

/** @throws when they could not be loaded; whoever asks again loads them again */
export async function loadRoomParts(): Promise<void> {
  parts = await import('./room-parts.jsx');
  for (const tell of waiting) tell();
}

/**
 * What needs LiveKit's components, and is loaded with them. Not by `lazy`: React would hold back for up to 300 ms what it has
 * suspended once, also where it was loaded long ago; and a caller who gets a warm agent waits no longer than that in all.
 */
export function useRoomParts(): RoomParts | undefined {
  return useSyncExternalStore(subscribe, () => parts);
}

function subscribe(tell: () => void): () => void {
  waiting.add(tell);
  if (!parts) void loadRoomParts().catch(() => undefined);
  return () => waiting.delete(tell);
}
