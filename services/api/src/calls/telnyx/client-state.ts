/** What goes along with a line of ours, and comes back with every event after it. */
export interface ClientState {
  /** The command that this state came with. */
  readonly commandId: string;
  /** Sounds of another kind are not that line. */
  readonly how: PlayedAs;
}

/** As Telnyx names its events: text that it speaks, or a file that it plays. */
export type PlayedAs = 'speak' | 'playback';

const MARKS: Readonly<Record<PlayedAs, string>> = { speak: 'greenroom', playback: 'greenroom-playback' };
const COMMAND_ID = /^[\w.:-]{1,128}$/;

export function writeClientState({ commandId, how }: ClientState): string {
  return Buffer.from(`${MARKS[how]} ${commandId}`).toString('base64');
}

/** Of the leg that leads to the agent, whose events say nothing of the caller. */
const LEG_MARK = 'greenroom-leg';
const CALL_ID = /^[\x21-\x7e]{1,256}$/;

/** Goes along with that leg: it is known by it, and so is the call that it belongs to. */
export function writeLegState(callId: string): string {
  return Buffer.from(`${LEG_MARK} ${callId}`).toString('base64');
}

/** @returns undefined for what is no such leg; `callId` is left out where an earlier version, which gave none along, has made it */
export function readLegState(text: string | null | undefined): { readonly callId?: string } | undefined {
  const [mark, callId = '', ...rest] = decode(text);
  if (mark !== LEG_MARK) return undefined;
  return rest.length === 0 && CALL_ID.test(callId) ? { callId } : {};
}

/** @returns undefined for what others have given along */
export function readClientState(text: string | null | undefined): ClientState | undefined {
  const [mark, commandId = '', ...rest] = decode(text);
  const how = (['speak', 'playback'] as const).find((it) => MARKS[it] === mark);
  if (how === undefined || rest.length > 0 || !COMMAND_ID.test(commandId)) return undefined;
  return { commandId, how };
}

function decode(text: string | null | undefined): string[] {
  return Buffer.from(text ?? '', 'base64')
    .toString('utf8')
    .split(' ');
}
