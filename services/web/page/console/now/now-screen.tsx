import { useLive } from '../live/live.jsx';

/** What goes on right now. */
export function NowScreen() {
  const sessions = useLive((state) => state.sessions);
  return (
    <>
      <h1>Now</h1>
      <p data-testid="session-count">{sessions.size}</p>
    </>
  );
}
