import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Fault, send, url, type Rows, type User } from '../api/client';
import { invalidate, useResource } from '../api/resource';
import { useMe } from '../api/session';
import { Card } from '../ui/card';
import { DataTable, type Column } from '../ui/data-table';
import { Answer } from '../ui/state';
import { Time } from '../ui/time';

export function UsersCard() {
  const users = useResource<Rows<User>>(url('/users'));
  const [fault, setFault] = useState('');
  const [leaving, setLeaving] = useState('');
  const nameField = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => nameField.current?.focus(), [leaving]);
  const session = useMe();
  const me = session.state === 'in' ? session.me.user : '';
  const run = async (work: () => Promise<unknown>) => {
    setFault('');
    try {
      await work();
      invalidate('/users');
    } catch (error) {
      setFault(error instanceof Fault ? [error.message, error.detail].filter(Boolean).join('. ') : String(error));
    }
  };
  const change = (user: User, body: object) => void run(() => send('PATCH', `/users/${encodeURIComponent(user.user)}`, body));
  const remove = (event: Event) => {
    event.preventDefault();
    const typed = String(new FormData(event.currentTarget as HTMLFormElement).get('leaving')).trim();
    if (typed !== leaving) {
      setFault(`Type ${leaving}, the name of the user to remove, or cancel.`);
      return;
    }
    void run(async () => {
      await send('DELETE', `/users/${encodeURIComponent(leaving)}`);
      setLeaving('');
    });
  };
  const cancel = () => {
    setLeaving('');
    setFault('');
  };
  const add = (event: Event) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    void run(async () => {
      await send('POST', '/users', Object.fromEntries(new FormData(form)));
      form.reset();
    });
  };
  const columns: Column<User>[] = [
    { head: 'User', cell: (u) => <b class={u.disabled ? 'muted' : ''}>{u.user}</b>, sort: (u) => u.user },
    {
      head: 'Role',
      cell: (u) => (
        <select class="input input-small" aria-label={`Role of ${u.user}`} value={u.role} onChange={(e) => change(u, { role: e.currentTarget.value })}>
          <option>viewer</option>
          <option>admin</option>
          <option>partner</option>
        </select>
      ),
    },
    { head: 'Added', wide: true, cell: (u) => <Time at={u.created} /> },
    { head: 'Last login', wide: true, cell: (u) => <Time at={u.last_login} /> },
    {
      head: '',
      num: true,
      cell: (u) => (
        <span class="row-actions">
          <button class="button button-small" type="button" aria-label={`${u.disabled ? 'Enable' : 'Disable'} ${u.user}`} onClick={() => change(u, { disabled: !u.disabled })}>
            {u.disabled ? 'Enable' : 'Disable'}
          </button>
          {u.user !== me && (
            <button class="button button-small" type="button" aria-label={`Remove ${u.user}`} onClick={() => setLeaving(u.user)}>
              Remove
            </button>
          )}
        </span>
      ),
    },
  ];
  return (
    <Card title="Users" note="A viewer reads; an admin also judges alerts and changes users; a partner sees what is published, and nothing else" flush>
      <Answer of={users} height={140}>
        {(page) => <DataTable label="Users" columns={columns} rows={page.rows} id={(u) => u.user} />}
      </Answer>
      {leaving && (
        <form class="filters inline-form" aria-label={`Remove ${leaving}`} onSubmit={remove} onKeyDown={(e) => e.key === 'Escape' && cancel()}>
          <label class="field">Type {leaving} to remove that user for good; what the user judged stays
            <input class="input" name="leaving" key={leaving} required autocomplete="off" autocapitalize="none" spellcheck={false} ref={nameField} />
          </label>
          <button class="button" type="submit">Remove</button>
          <button class="button" type="button" onClick={cancel}>Cancel</button>
        </form>
      )}
      <form class="filters inline-form" onSubmit={add}>
        <label class="field">User<input class="input" name="user" required pattern="[A-Za-z0-9._@\-]{1,63}" title="Letters, digits, . _ @ -" autocapitalize="none" autocomplete="off" /></label>
        <label class="field">Password<input class="input" name="password" type="password" required minLength={12} autocomplete="new-password" /></label>
        <label class="field">Role<select class="input" name="role"><option>viewer</option><option>admin</option><option>partner</option></select></label>
        <button class="button" type="submit">Add</button>
      </form>
      {fault && <p class="form-error card-body" role="alert">{fault}</p>}
    </Card>
  );
}
