/** A room that an agent of ours works in. */
export interface WantedRoom {
  readonly name: string;
  /** As LiveKit gave it when the room was made. */
  readonly sid: string;
  /** LiveKit may have been away since it last said that the room is there. */
  readonly mayHaveLapsed: boolean;
  /** LiveKit was certainly away since it last said that the room is there: if it is there now, it has outlived that. */
  readonly isWitness: boolean;
}

/**
 * Which rooms LiveKit has forgotten, as it does when it is restarted; one that is missing otherwise is finished.
 *
 * LiveKit's API tells neither its own identity nor why a room is not there, and a room that was closed on purpose (the
 * last caller left it long ago, an operator deleted it) must stay closed. So the rooms bear witness for each other: one
 * that has outlived the last outage means that LiveKit has kept its rooms. Without such a witness, those that were last
 * seen before the outage are forgotten. With no outage at all they are only if none is left of at least two: they do not
 * end at the same moment by chance. A single room that is gone, from a LiveKit that has answered all along, is finished.
 */
export function forgottenRooms<T extends WantedRoom>(
  wanted: readonly T[],
  there: ReadonlyMap<string, string>,
): T[] {
  const kept = wanted.filter(({ name, sid }) => there.get(name) === sid);
  const missing = wanted.filter(({ name }) => !there.has(name));
  const lapsed = missing.filter((room) => room.mayHaveLapsed);
  if (lapsed.length > 0) return kept.some((room) => room.isWitness) ? [] : lapsed;
  return kept.length === 0 && missing.length >= 2 ? missing : [];
}
