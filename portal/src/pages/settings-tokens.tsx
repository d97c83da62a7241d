import { useState } from 'preact/hooks';
import { Fault, send, url, type Rows, type Token } from '../api/client';
import { invalidate, useResource } from '../api/resource';
import { isAdmin } from '../api/session';
import { Card } from '../ui/card';
import { DataTable, type Column } from '../ui/data-table';
import { Answer, Empty } from '../ui/state';
import { Time } from '../ui/time';

export function TokensCard() {
  const tokens = useResource<Rows<Token>>(url('/tokens'));
  const [made, setMade] = useState('');
  const [fault, setFault] = useState('');
  const run = async (work: () => Promise<void>) => {
    setFault('');
    try {
      await work();
      invalidate('/tokens');
    } catch (error) {
      setFault(error instanceof Fault ? [error.message, error.detail].filter(Boolean).join('. ') : String(error));
    }
  };
  const create = (event: Event) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    void run(async () => {
      const body = { label: String(data.get('label')), role: String(data.get('role') ?? 'viewer'), expires_in: String(data.get('expires')) };
      setMade((await send<{ token: string }>('POST', '/tokens', body)).token);
      form.reset();
    });
  };
  const columns: Column<Token>[] = [
    { head: 'Token', cell: (t) => <><b>{t.label}</b><span class="sub">{t.user}, {t.role}</span></> },
    { head: 'Used', wide: true, cell: (t) => <Time at={t.last_used} /> },
    { head: 'Ends', cell: (t) => (t.expires ? <Time at={t.expires} /> : 'never') },
    {
      head: '',
      num: true,
      cell: (t) => (
        <button class="button button-small" type="button" onClick={() => void run(() => send('DELETE', `/tokens/${encodeURIComponent(t.id)}`))}>
          Withdraw
        </button>
      ),
    },
  ];
  return (
    <Card title="Tokens" note="For scripts: Authorization: Bearer kz_…" flush>
      <Answer of={tokens} height={120}>
        {(page) =>
          page.rows.length === 0 ? <Empty small title="No token yet">Make one below for a script or a collector.</Empty> : (
            <DataTable label="Tokens" columns={columns} rows={page.rows} id={(t) => t.id} />
          )
        }
      </Answer>
      {made && (
        <p class="banner banner-quiet token-made" role="status">
          Copy it now, it is not shown again: <code>{made}</code>
        </p>
      )}
      <form class="filters inline-form" onSubmit={create}>
        <label class="field">What for<input class="input" name="label" required pattern="[A-Za-z0-9._@\-]{1,63}" placeholder="collector-1" title="Letters, digits, . _ @ -" /></label>
        <label class="field">Role
          <select class="input" name="role"><option>viewer</option>{isAdmin() && <option>admin</option>}<option>partner</option></select>
        </label>
        <label class="field">Ends after
          <select class="input" name="expires"><option value="90d">90 days</option><option value="365d">a year</option><option value="7d">7 days</option></select>
        </label>
        <button class="button" type="submit">Make a token</button>
      </form>
      {fault && <p class="form-error card-body" role="alert">{fault}</p>}
    </Card>
  );
}
