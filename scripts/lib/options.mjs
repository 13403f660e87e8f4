const START_HELP = `npm start [-- --no-install]

Sets up what is missing, starts Redis, LiveKit, the api, the spawner with the reference agent and the web page, and prints where it is.
Ctrl-C ends everything that it started.

  --no-install   never call the system's package manager; say what to type instead

Settings come from the environment, then from .env; .env.example lists every one.`;

/** Help, or a complaint about an argument that would otherwise be ignored; undefined to go on. */
export function answerInsteadOfStarting({ rest }) {
  if (rest.length === 0) return undefined;
  if (rest.includes('--help') || rest.includes('-h')) return { text: START_HELP, exitCode: 0 };
  return { text: `npm start does not know ${rest.join(' ')}.\n\n${START_HELP}`, exitCode: 2 };
}

/**
 * `npm start -- --no-install`: never call the system's package manager.
 * Whatever else is given is handed on (`npm test -- path/to/test`).
 */
export function readOptions(args) {
  return {
    mayInstall: !args.includes('--no-install'),
    rest: args.filter((arg) => arg !== '--no-install'),
  };
}
