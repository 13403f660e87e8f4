/** One side of the conversation, as far as its "speaking" events tell. Times are 0 where nothing is known. */
export interface Speaker {
  active: boolean;
  /** The latest time at which it was said to speak. */
  startedAt: number;
  /** The latest time at which it was said not to. */
  quietAt: number;
  /** When the latest speech ended; 0 while it goes on. Further news that it is quiet move nothing. */
  endedAt: number;
}

export const UNHEARD: Speaker = { active: false, startedAt: 0, quietAt: 0, endedAt: 0 };

/** The latest event tells who speaks; an older one, come late, only fills in what was missed. */
export function noteSpeaking(speaker: Speaker, active: boolean, at: number): Speaker {
  const isLatest = at >= Math.max(speaker.startedAt, speaker.quietAt);
  const noted = active ? noteStart(speaker, at) : noteEnd(speaker, at);
  return { ...noted, active: isLatest ? active : speaker.active };
}

function noteStart(speaker: Speaker, at: number): Speaker {
  const startedAt = Math.max(speaker.startedAt, at);
  if (speaker.endedAt >= startedAt) return { ...speaker, startedAt };
  return { ...speaker, startedAt, endedAt: speaker.quietAt >= startedAt ? speaker.quietAt : 0 };
}

function noteEnd(speaker: Speaker, at: number): Speaker {
  const quietAt = Math.max(speaker.quietAt, at);
  if (at < speaker.startedAt) return { ...speaker, quietAt };
  const isRepeated = speaker.endedAt > speaker.startedAt;
  return { ...speaker, quietAt, endedAt: isRepeated ? Math.min(speaker.endedAt, at) : at };
}
