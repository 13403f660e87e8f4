// Part of npm run build: what a browser loads. The page's types are checked by tsc -b.
import './lib/check-node.mjs';
import { buildPage } from './lib/build-page.mjs';
import { describeError, say } from './lib/ui.mjs';

try {
  await buildPage();
} catch (error) {
  say(describeError(error));
  process.exitCode = 1;
}
