import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Fault } from '../api/client';
import { signIn } from '../api/session';
import { Mark } from '../ui/mark';
import { ThemeSwitch } from '../ui/theme-switch';

export function LoginPage({ ended }: { ended: boolean }) {
  const [fault, setFault] = useState<Fault>();
  const [busy, setBusy] = useState(false);
  const first = useRef<HTMLInputElement>(null);
  // Before anybody can type: later, the focus would be taken from who is at the password already.
  useLayoutEffect(() => {
    document.title = 'Sign in · kizashi';
    first.current?.focus();
  }, []);

  const submit = async (event: Event) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    setFault(undefined);
    try {
      await signIn(String(form.get('user')), String(form.get('password')));
    } catch (error) {
      setFault(error instanceof Fault ? error : new Fault(0, String(error)));
      setBusy(false);
    }
  };
  return (
    <main class="login">
      <Mark size={900} />
      <div class="login-tools">
        <ThemeSwitch />
      </div>
      <form class="card login-card" onSubmit={submit}>
        <Mark size={52} />
        <h1>kizashi</h1>
        <p class="quiet">Signs of what is coming, from the traffic that reaches unused addresses.</p>
        {ended && !fault && <p class="banner banner-quiet">Your session has ended. Sign in again to go on.</p>}
        <label class="field">
          User
          <input class="input" name="user" ref={first} autocomplete="username" autocapitalize="none" spellcheck={false} required />
        </label>
        <label class="field">
          Password
          <input class="input" name="password" type="password" autocomplete="current-password" required />
        </label>
        {fault && (
          <p class="form-error" role="alert">
            {fault.status === 401 ? 'User or password is wrong.' : [fault.message, fault.detail].filter(Boolean).join('. ')}
          </p>
        )}
        <button class="button button-main" type="submit" disabled={busy}>
          {busy ? 'Signing in …' : 'Sign in'}
        </button>
        <p class="small muted">
          The first time: the hub prints the password of <code>admin</code> when it starts.
        </p>
      </form>
    </main>
  );
}
