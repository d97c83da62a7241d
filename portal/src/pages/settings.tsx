import { url, type Dataset, type Rows, type Status } from '../api/client';
import { useResource } from '../api/resource';
import { isAdmin, useMe } from '../api/session';
import { bytes, count, day, duration, stampFull } from '../lib/format';
import { Card } from '../ui/card';
import { DataTable, type Column } from '../ui/data-table';
import { Head } from '../ui/head';
import { Answer, Empty } from '../ui/state';
import { PasswordCard } from './settings-password';
import { TokensCard } from './settings-tokens';
import { UsersCard } from './settings-users';

const DATASETS: Column<Dataset>[] = [
  { head: 'Data set', cell: (d) => <><b>{d.name}</b><span class="sub">{d.kind}</span></>, sort: (d) => d.name },
  {
    head: 'State',
    cell: (d) => (
      <>
        <span class="row"><i class={d.state === 'loaded' ? 'dot dot-good' : d.state === 'old' ? 'dot dot-warn' : 'dot dot-bad'} aria-hidden="true" />{d.state}</span>
        {d.detail && <span class="sub">{d.detail}</span>}
      </>
    ),
  },
  { head: 'Date', cell: (d) => (d.date ? (day(d.date) === '–' ? d.date : day(d.date)) : '–') },
  { head: 'Entries', num: true, wide: true, cell: (d) => count(d.entries) },
  { head: 'Origin', wide: true, cell: (d) => <><span class="mono">{d.origin ?? '–'}</span><span class="sub">{d.attribution}</span></> },
];

export function SettingsPage() {
  const session = useMe();
  const datasets = useResource<Rows<Dataset>>(url('/datasets'));
  const status = useResource<Status>(url('/status'));
  return (
    <>
      <Head title="Settings" text={session.state === 'in' ? `Signed in as ${session.me.user}, role ${session.me.role}.` : undefined} />
      <div class="stack">
        <Card title="Data sets" note="Where countries, networks and lists come from, and how old they are" flush>
          <Answer of={datasets} height={140}>
            {(page) =>
              page.rows.length === 0 ? (
                <Empty small title="No data set is loaded"><code>kizashi doctor</code> says what to install.</Empty>
              ) : (
                <DataTable label="Data sets" columns={DATASETS} rows={page.rows} id={(d) => d.name} />
              )
            }
          </Answer>
        </Card>
        <div class="grid cols-2">
          <TokensCard />
          <PasswordCard />
        </div>
        {isAdmin() && <UsersCard />}
        <Card title="About">
          <Answer of={status} height={160}>
            {(s) => <About status={s} />}
          </Answer>
        </Card>
      </div>
    </>
  );
}

function About({ status }: { status: Status }) {
  const kept = (seconds: number) => (seconds > 0 ? duration(seconds * 1000) : 'for ever');
  return (
    <>
      <dl class="facts facts-wide">
        <dt>Version</dt>
        <dd>kizashi {status.version}</dd>
        <dt>Running since</dt>
        <dd>{stampFull(status.started)} <span class="muted small">({duration(status.uptime_s * 1000)})</span></dd>
        <dt>Store</dt>
        <dd>{status.store.engine}: {bytes(status.store.disk_bytes)} used, {bytes(status.store.disk_free)} free</dd>
        <dt>Held</dt>
        <dd>
          {count(status.store.packets)} packets, {count(status.store.contacts)} contacts, from {stampFull(status.held.first)} to {stampFull(status.held.last)}
        </dd>
        <dt>Kept</dt>
        <dd>packets {kept(status.retention.packets_s)}, contacts {kept(status.retention.contacts_s)}, charts {kept(status.retention.rollups_s)}</dd>
        <dt>Lost since start</dt>
        <dd>
          {count(status.losses.dropped)} dropped, {count(status.losses.sampled_out)} sampled out, {count(status.losses.malformed)} malformed
          of {count(status.losses.received)} packets that came since then
          {status.losses.unseen > 0 && <>; {count(status.losses.unseen)} came after their windows were over: stored, not seen by the engines</>}
        </dd>
        <dt>Clients</dt>
        <dd>{count(status.clients.events)} follow live, {count(status.clients.events_cut_off)} cut off for being slow</dd>
        <dt>Interface</dt>
        <dd><a href={url('/openapi.json')}>OpenAPI document</a>, <a href="/metrics">metrics</a>, <a href="/healthz">health</a></dd>
      </dl>
      <p class="small muted about-note">
        kizashi (兆し, “sign of what is coming”) is free software under the BSD-2-Clause licence. Map: Natural Earth, public domain.
      </p>
    </>
  );
}
