/** A room that an agent of ours works in. */
export interface WantedRoom {
  readonly name: string;
  /** As LiveKit gave it when the room was made. */
  readonly sid: string;
}

export interface RoomFindings {
  /** The rooms that are wanted now. */
  readonly wanted: readonly WantedRoom[];
  /** What LiveKit has of them: sid by name. */
  readonly there: ReadonlyMap<string, string>;
  /** Sids that were there the last time that LiveKit was asked. */
  readonly seenBefore: ReadonlySet<string>;
  /** Whether there was any sign since then that LiveKit was away. */
  readonly hasBeenAway: boolean;
}

/**
 * Whether LiveKit has forgotten its rooms, as it does when it is restarted; a room that is missing otherwise is finished.
 *
 * LiveKit's API tells neither its own identity nor why a room is not there, and a room that was closed on purpose (the
 * last caller left it long ago, an operator deleted it) must stay closed. So the rooms bear witness for each other: as
 * long as one that was there before still is, under the same sid, LiveKit has kept its rooms. With all of them gone it
 * has forgotten them if it was away, or if there were at least two: they do not end at the same moment by chance. A
 * single room that is gone, from a LiveKit that has answered all along, is finished.
 */
export function hasForgottenRooms({ wanted, there, seenBefore, hasBeenAway }: RoomFindings): boolean {
  const witnesses = wanted.filter(({ sid }) => seenBefore.has(sid));
  const isKept = witnesses.some(({ name, sid }) => there.get(name) === sid);
  return !isKept && (hasBeenAway || witnesses.length >= 2);
}
