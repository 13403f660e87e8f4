import { useLiveSession } from '../live/live.jsx';

/** One session: what happened in it, and what can be done about it. */
export function SessionScreen({ sessionId }: { sessionId: string }) {
  const session = useLiveSession(sessionId);
  return (
    <>
      <h1>Session</h1>
      <p data-testid="session-id">{sessionId}</p>
      <p>{session ? session.status : 'not live'}</p>
    </>
  );
}
