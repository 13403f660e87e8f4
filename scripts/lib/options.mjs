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
