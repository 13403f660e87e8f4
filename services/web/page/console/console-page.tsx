import { Door } from './door/door.jsx';
import { useAdminToken } from './door/admin-token.js';
import { Frame } from './frame/frame.jsx';
import { Live } from './live/live.jsx';
import { Screen } from './screen.jsx';

/** The operators' console. Behind the door, one stream feeds every screen. */
export function ConsolePage() {
  const token = useAdminToken();
  if (token === null) return <Door />;
  return (
    <Live key={token}>
      <Frame>
        <Screen />
      </Frame>
    </Live>
  );
}
