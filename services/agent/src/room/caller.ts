import type { RemoteParticipant } from '@livekit/rtc-node';

/** Whom the agent talks with. */
export interface Caller {
  readonly identity: string;
  /** Empty when nobody told us. */
  readonly name: string;
  /** Empty when nobody chose one. */
  readonly voiceId: string;
}

/** What the session said of its caller when the agent was started. */
export interface Defaults {
  readonly userName: string;
  readonly voiceId: string;
}

/** Long enough for any name; more would be read out to the caller in full. */
const MAX_NAME_LENGTH = 60;

/** The caller's own attributes first, then the room's metadata, then what the agent was started with. */
export function describeCaller(
  participant: Pick<RemoteParticipant, 'identity' | 'attributes' | 'name'>,
  roomMetadata: string | undefined,
  defaults: Defaults,
): Caller {
  const { attributes } = participant;
  const metadata = parseMetadata(roomMetadata);
  return {
    identity: participant.identity,
    name: cleanName(
      attributes['userName'] || metadata['userName'] || defaults.userName || (participant.name ?? ''),
    ),
    voiceId: attributes['voiceId'] || metadata['voiceId'] || defaults.voiceId,
  };
}

/** Anyone may have written the metadata: what is no object of strings counts for nothing. */
function parseMetadata(text: string | undefined): Record<string, string> {
  try {
    const value: unknown = JSON.parse(text || '{}');
    if (typeof value !== 'object' || value === null) return {};
    return Object.fromEntries(Object.entries(value).filter((entry) => typeof entry[1] === 'string'));
  } catch {
    return {};
  }
}

/** Speakable and short: no control characters, no markup. */
function cleanName(name: string): string {
  return name
    .replace(/[\p{C}<>{}[\]\\|]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, MAX_NAME_LENGTH)
    .trim();
}
