// What the hub publishes: all that a partner sees.
import { csvUrl, url, type Page, type Published, type PublishedRow } from '../api/client';
import { useResource } from '../api/resource';
import { signOut, useMe } from '../api/session';
import { count, stampFull } from '../lib/format';
import { Card } from '../ui/card';
import { DataTable, type Column } from '../ui/data-table';
import { Head } from '../ui/head';
import { Mark } from '../ui/mark';
import { Answer, Empty } from '../ui/state';
import { ThemeSwitch } from '../ui/theme-switch';
import { PasswordCard } from './settings-password';

const QUERY = { from: '-24h', limit: 1000 };

const COLUMNS: Column<PublishedRow>[] = [
  { head: 'Step', cell: (r) => <time class="nowrap" dateTime={r.time}>{stampFull(r.time)}</time>, sort: (r) => r.time },
  { head: 'Service', cell: (r) => `${r.port}/${r.proto}`, sort: (r) => r.port },
  { head: 'Sources', num: true, cell: (r) => count(r.sources), sort: (r) => r.sources },
  { head: 'Came out', wide: true, cell: (r) => <time class="nowrap" dateTime={r.published}>{stampFull(r.published)}</time> },
];

/** The whole portal of a partner: this page, the own password, and the way out. */
export function PartnerApp() {
  const session = useMe();
  return (
    <div class="partner">
      <header class="row partner-head">
        <Mark />
        <b>kizashi</b>
        <span class="partner-space" />
        <ThemeSwitch />
        <span class="muted">{session.state === 'in' && session.me.user}</span>
        <button class="button button-small" type="button" onClick={() => void signOut()}>Sign out</button>
      </header>
      <main class="main" id="main">
        <div class="stack">
          <PublishedPage />
          <PasswordCard />
        </div>
      </main>
    </div>
  );
}

function PublishedPage() {
  const published = useResource<Published>(url('/published'));
  const rows = useResource<Page<PublishedRow>>(url('/published/ports', QUERY));
  return (
    <>
      <Head title="Published" text="The busiest services of all sites together: late, rounded, and with noise." />
      <Answer of={published} height={80}>{(p) => <Policy of={p} />}</Answer>
      <Card title="Busiest services" note="The last 24 hours that are out" csv={csvUrl('/published/ports', { limit: 10000 })} flush>
        <Answer of={rows} height={300}>
          {(page) => (page.rows.length === 0 ? <Empty small title="Nothing is out yet" /> : (
            <DataTable label="Busiest services" columns={COLUMNS} rows={[...page.rows].reverse()} id={(r) => `${r.time}${r.proto}${r.port}`} />
          ))}
        </Answer>
      </Card>
    </>
  );
}

function Policy({ of }: { of: Published }) {
  const p = of.policy;
  return (
    <p class="quiet published-policy">
      Steps of {p.step}, {p.delay} late and up to {p.jitter} later. A service is in it that {count(p.least_sources)} sources
      or more asked for at {count(p.least_sites)} sites or more.{' '}
      {of.end ? `Out so far: ${stampFull(of.first)} to ${stampFull(of.end)}.` : 'No step is out yet.'}
    </p>
  );
}
