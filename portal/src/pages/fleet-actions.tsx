// What a site can be asked to do to itself, and what was done to it from afar.
import { useState } from 'preact/hooks';
import { Fault, send, url, type Rows, type SiteAction } from '../api/client';
import { invalidate, useResource } from '../api/resource';
import { isAdmin } from '../api/session';
import { stampFull } from '../lib/format';
import { Card } from '../ui/card';
import { DataTable, type Column } from '../ui/data-table';
import { Answer, Empty } from '../ui/state';

export function ActionsCard({ site }: { site: string }) {
  const path = `/fleet/${encodeURIComponent(site)}/actions`;
  const actions = useResource<Rows<SiteAction>>(url(path));
  const [fault, setFault] = useState('');
  const ask = async (event: Event) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    const [action, service] = String(data.get('action')).split(' ');
    setFault('');
    try {
      await send('POST', path, { action, confirm: String(data.get('confirm')), ...(service ? { service } : {}) });
      form.reset();
      invalidate('/actions');
    } catch (error) {
      setFault(error instanceof Fault ? [error.message, error.detail].filter(Boolean).join('. ') : String(error));
    }
  };
  return (
    <Card title="Actions" note="Asked for from here, done by a unit that the site enables." flush>
      <Answer of={actions} height={80}>
        {(page) => (page.rows.length === 0 ? <Empty small title="Nothing was asked for yet" /> : (
          <DataTable label="Actions" columns={columns()} rows={page.rows} id={(a) => String(a.id)} />
        ))}
      </Answer>
      {isAdmin() && (
        <form class="filters inline-form" onSubmit={(e) => void ask(e)}>
          <label class="field">Ask it to
            <select class="input" name="action">
              <option value="restart kizashi-sensor">restart the sensor</option>
              <option value="upgrade">upgrade kizashi</option>
              <option value="reboot">reboot</option>
            </select>
          </label>
          <label class="field">Type {site} to confirm
            <input class="input" name="confirm" required autocomplete="off" spellcheck={false} />
          </label>
          <button class="button" type="submit">Ask</button>
        </form>
      )}
      {fault && <p class="form-error card-body" role="alert">{fault}</p>}
    </Card>
  );
}

function columns(): Column<SiteAction>[] {
  return [
    { head: 'Asked', cell: (a) => <><time class="nowrap" dateTime={a.asked}>{stampFull(a.asked)}</time><span class="sub">{a.who}</span></> },
    { head: 'What', cell: (a) => `${a.what} ${a.service}` },
    { head: 'Came to', cell: (a) => (a.finished === null ? <span class="muted">no answer yet</span> : a.result || 'done') },
  ];
}
