import { useState } from 'preact/hooks';
import { Fault, send, url, type Rows, type Suppression } from '../api/client';
import { invalidate, useResource } from '../api/resource';
import { isAdmin } from '../api/session';
import { scopeText } from '../lib/alerts';
import { plural } from '../lib/format';
import { href } from '../lib/route';
import { Card } from '../ui/card';
import { DataTable, type Column } from '../ui/data-table';
import { Head } from '../ui/head';
import { Answer, Empty } from '../ui/state';
import { Time } from '../ui/time';

/** In force, over, or revoked. */
function stateOf(rule: Suppression, now: number): string {
  if (rule.revoked) return 'revoked';
  return Date.parse(rule.until) > now ? 'in force' : 'over';
}

/** What keeps alerts from being shown: who said so, why, until when, and how many. */
export function SuppressionsPage() {
  const rules = useResource<Rows<Suppression>>(url('/suppressions'));
  const [fault, setFault] = useState('');
  const revoke = async (rule: Suppression) => {
    setFault('');
    try {
      await send('DELETE', `/suppressions/${rule.id}`);
      for (const part of ['/suppressions', '/alerts', '/overview']) invalidate(part);
    } catch (error) {
      setFault(error instanceof Fault ? [error.message, error.detail].filter(Boolean).join('. ') : String(error));
    }
  };
  const now = Date.now();
  const columns: Column<Suppression>[] = [
    { head: 'What', cell: (r) => <><b>{scopeText(r.scope)}</b><span class="sub">up to {r.severity}; made for <a href={href(['alerts', r.alert])}>{r.alert}</a></span></> },
    { head: 'Why', cell: (r) => <>{r.why}<span class="sub">{r.state}, {r.by}, <Time at={r.made} /></span></> },
    { head: 'Until', cell: (r) => <><Time at={r.until} /><span class="sub">{stateOf(r, now)}{r.revoked_by ? ` by ${r.revoked_by}` : ''}</span></>, sort: (r) => r.until },
    { head: 'Alerts', num: true, cell: (r) => r.alerts, sort: (r) => r.alerts, help: 'That it covers now' },
    {
      head: '',
      num: true,
      cell: (r) => !r.revoked && isAdmin() && (
        <button class="button button-small" type="button" data-revoke={r.id} onClick={() => void revoke(r)}>Revoke</button>
      ),
    },
  ];
  return (
    <>
      <Head title="Suppressions" back={{ href: href(['alerts']), label: 'Alerts' }}
        text="What people called known or wrong and need not see again until a date. Such alerts are kept and counted; one that grows to a higher severity or a new site comes back." />
      {fault && <p class="form-error" role="alert">{fault}</p>}
      <Card title="Suppressions" flush note={rules.data ? `${plural(rules.data.rows.filter((r) => stateOf(r, now) === 'in force').length, 'suppression')} in force` : ''}>
        <Answer of={rules} height={200}>
          {(page) =>
            page.rows.length === 0 ? (
              <Empty title="Nothing is suppressed">Call an alert known or wrong on its page; then its like can be left out for a while.</Empty>
            ) : (
              <DataTable label="Suppressions" columns={columns} rows={page.rows} id={(r) => String(r.id)} />
            )
          }
        </Answer>
      </Card>
    </>
  );
}
