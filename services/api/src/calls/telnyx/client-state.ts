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

/** Goes along with the leg that leads to the agent, whose events say nothing of the caller. */
export const OTHER_LEG = Buffer.from('greenroom-leg').toString('base64');

export function isOtherLeg(text: string | null | undefined): boolean {
  return text === OTHER_LEG;
}

/** @returns undefined for what others have given along */
export function readClientState(text: string | null | undefined): ClientState | undefined {
  const [mark, commandId = '', ...rest] = Buffer.from(text ?? '', 'base64')
    .toString('utf8')
    .split(' ');
  const how = (['speak', 'playback'] as const).find((it) => MARKS[it] === mark);
  if (how === undefined || rest.length > 0 || !COMMAND_ID.test(commandId)) return undefined;
  return { commandId, how };
}
