import type { DeadAirStreamEvent } from '@greenroom/contracts';

/** What became of a silence, as a quiet note; of most steps there is nothing to tell. */
export function noteOfSilence({ step, number, of }: DeadAirStreamEvent): string | undefined {
  switch (step) {
    case 'checkin':
      return typeof number === 'number' && typeof of === 'number'
        ? `It was quiet: the agent asks whether you are there (${number} of ${of}).`
        : 'It was quiet: the agent asks whether you are there.';
    case 'hold_on':
      return 'The agent waits, as you asked.';
    case 'agent_frozen':
      return 'The agent does not answer. Stay on the line.';
    case 'goodbye':
      return 'Nobody answered: the agent says goodbye.';
    default:
      return undefined;
  }
}
