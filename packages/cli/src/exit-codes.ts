/** What a command's exit code says. Programs rely on them: they are only ever added to. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  refused: 3,
  notJoined: 4,
  noAgent: 5,
  notFound: 6,
  unauthorized: 7,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_MEANINGS: Readonly<Record<ExitCode, string>> = {
  0: 'done',
  1: 'not done, or not wholly: doctor found a failure, a question was answered with no, something unexpected',
  2: 'wrong usage: nothing was asked of Greenroom, or it found a value in the request wrong',
  3: 'Greenroom did not answer, or refused',
  4: 'call: the room could not be joined',
  5: 'call: no agent came',
  6: 'there is no such session, host or profile, or the session is over',
  7: 'the token is missing or wrong',
  130: 'ended with Ctrl-C',
};
