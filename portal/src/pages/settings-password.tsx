import { useState } from 'preact/hooks';
import { Fault, send } from '../api/client';
import { Card } from '../ui/card';

const LEAST = 12;

export function PasswordCard() {
  const [said, setSaid] = useState<{ bad: boolean; text: string }>();
  const change = async (event: Event) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    if (data.get('new') !== data.get('again')) return setSaid({ bad: true, text: 'The two new passwords differ.' });
    try {
      await send('POST', '/me/password', { old: data.get('old'), new: data.get('new') });
      form.reset();
      setSaid({ bad: false, text: 'Changed. All other sessions of yours have ended.' });
    } catch (error) {
      const text = error instanceof Fault ? [error.message, error.detail].filter(Boolean).join('. ') : String(error);
      setSaid({ bad: true, text });
    }
  };
  return (
    <Card title="Your password">
      <form class="form" onSubmit={(e) => void change(e)}>
        <label class="field">Password now<input class="input" name="old" type="password" autocomplete="current-password" required /></label>
        <label class="field">New password, at least {LEAST} characters
          <input class="input" name="new" type="password" autocomplete="new-password" minLength={LEAST} required />
        </label>
        <label class="field">New password again
          <input class="input" name="again" type="password" autocomplete="new-password" minLength={LEAST} required />
        </label>
        {said && <p class={said.bad ? 'form-error' : 'small'} role="status">{said.text}</p>}
        <button class="button" type="submit">Change</button>
      </form>
    </Card>
  );
}
