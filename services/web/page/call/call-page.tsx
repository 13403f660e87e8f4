import type { ProfileView } from '@greenroom/contracts';
import { useEffect, useState } from 'react';
import { ask } from '../shared/ask.js';

/** The call screen. Opening it starts nothing. */
export function CallPage() {
  const [profiles, setProfiles] = useState<ProfileView[]>([]);
  useEffect(() => {
    ask<{ profiles: ProfileView[] }>('/api/profiles').then(
      (answer) => setProfiles(answer.profiles),
      () => undefined,
    );
  }, []);
  return (
    <main>
      <h1>Greenroom</h1>
      <ul data-testid="profiles">
        {profiles.map(({ name, description }) => (
          <li key={name}>{description ?? name}</li>
        ))}
      </ul>
    </main>
  );
}
