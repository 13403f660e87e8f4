import { SetupError } from './ui.mjs';

const CONTAINER =
  'docker run --rm -it --init -v "$PWD":/greenroom -w /greenroom -p 8080:8080 node:20-bookworm npm start';

/** Agents are watched through /proc, process groups and sessions: Linux has them, the others do not. */
export function checkPlatform(platform = process.platform) {
  if (platform === 'linux') return;
  const name = { darwin: 'macOS', win32: 'Windows' }[platform] ?? platform;
  throw new SetupError(
    `Greenroom runs on Linux only: it follows every process of an agent through /proc. This is ${name}.`,
    {
      next: `run it in a container:\n    ${CONTAINER}`,
    },
  );
}
