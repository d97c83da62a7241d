// Who is signed in. One value for the whole page.
import { useEffect, useState } from 'preact/hooks';
import { Fault, get, send, url, useSession, type Me } from './client';
import { forgetAll } from './resource';

export type Session =
  | { state: 'asking' }
  | { state: 'out'; ended: boolean }
  | { state: 'in'; me: Me }
  | { state: 'failed'; fault: Fault };

let session: Session = { state: 'asking' };
const listeners = new Set<(s: Session) => void>();

function become(next: Session): void {
  session = next;
  useSession(next.state === 'in' ? next.me.csrf : null, () => {
    if (session.state === 'in') become({ state: 'out', ended: true });
  });
  if (next.state === 'out') forgetAll();
  for (const listener of listeners) listener(next);
}

/** At the start of the page, and again after a failure. */
export async function resume(): Promise<void> {
  become({ state: 'asking' });
  try {
    become({ state: 'in', me: await get<Me>(url('/me')) });
  } catch (error) {
    const fault = error instanceof Fault ? error : new Fault(0, String(error));
    become(fault.status === 401 ? { state: 'out', ended: false } : { state: 'failed', fault });
  }
}

export async function signIn(user: string, password: string): Promise<void> {
  become({ state: 'in', me: await send<Me>('POST', '/login', { user, password }) });
}

export async function signOut(): Promise<void> {
  try {
    await send('POST', '/logout');
  } finally {
    become({ state: 'out', ended: false });
  }
}

export function useMe(): Session {
  const [now, setNow] = useState<Session>(session);
  useEffect(() => {
    listeners.add(setNow);
    setNow(session);
    return () => void listeners.delete(setNow);
  }, []);
  return now;
}

/** Somebody of another house: sees what is published, and nothing else. */
export function isPartner(): boolean {
  return session.state === 'in' && session.me.role === 'partner';
}

/** May the person change things? */
export function isAdmin(): boolean {
  return session.state === 'in' && session.me.role === 'admin';
}
