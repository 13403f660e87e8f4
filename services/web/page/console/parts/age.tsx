import { useSecondsSince } from '../live/clock.jsx';
import { formatSeconds } from './format.js';

/** How long ago that was. It ticks by itself: nothing around it is drawn again. */
export function Age({ since }: { since: string }) {
  const seconds = useSecondsSince(since);
  return (
    <time dateTime={since} title={new Date(since).toLocaleString()}>
      {formatSeconds(seconds)}
    </time>
  );
}
