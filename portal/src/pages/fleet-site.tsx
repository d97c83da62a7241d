import { useState } from 'preact/hooks';
import { url, type FleetEvent, type FleetSite } from '../api/client';
import { useResource } from '../api/resource';
import { ago, bytes, count, duration, percent, short, stamp, stampFull } from '../lib/format';
import { href } from '../lib/route';
import { Card } from '../ui/card';
import { DataTable, type Column } from '../ui/data-table';
import { Figures, FLEET_STATES, FleetState, Strip } from '../ui/fleet-state';
import { Head } from '../ui/head';
import { Losses } from '../ui/policy-losses';
import { Answer, Empty } from '../ui/state';
import { useFleetNews } from './fleet';
import { ActionsCard } from './fleet-actions';
import { PowerCard } from './fleet-power';
import { DocumentCard } from './fleet-document';

const SPANS: [string, string][] = [['24h', 'Day'], ['7d', 'Week'], ['30d', 'Month'], ['365d', 'Year']];

export function FleetSitePage({ name }: { name: string }) {
  const [last, setLast] = useState('30d');
  useFleetNews();
  const site = useResource<FleetSite>(url(`/fleet/${encodeURIComponent(name)}`, { last }));
  return (
    <>
      <Head title={name} back={{ href: href(['fleet']), label: 'Fleet' }}
        text={<>How this site is and was. <a href={href(['sites', name])}>What it sees</a></>}>
        <div class="segments" role="group" aria-label="Time">
          {SPANS.map(([span, word]) => (
            <button key={span} type="button" aria-pressed={span === last} onClick={() => setLast(span)}>{word}</button>
          ))}
        </div>
      </Head>
      <Answer of={site} height={420}>
        {(data) => (
          <div class="grid cols-main">
            <div class="stack">
              <Now site={data} />
              {data.losses.length > 0 && (
                <Card title="What does not work here" note="As this site's document hides it, of engines and usual views">
                  <Losses of={data.losses} />
                </Card>
              )}
              <Card title="History" note={`From ${stampFull(data.history.from)}; taller is worse.`}>
                <Strip strip={data.history} tall />
              </Card>
              <DocumentCard site={name} />
              <ActionsCard site={name} />
              <PowerCard site={name} />
              <Card title="What happened" note="Newest first" flush>
                {data.events.length === 0 ? <Empty small title="Nothing in this time" /> : (
                  <DataTable label="What happened" columns={eventColumns()} rows={data.events} id={(e) => `${e.time}${e.state}`} />
                )}
              </Card>
            </div>
            <div class="stack">
              <Card title="Availability" note="Over the chosen time"><Figures of={data.range} /></Card>
              {data.heartbeat && <Machine of={data.heartbeat} />}
            </div>
          </div>
        )}
      </Answer>
    </>
  );
}

function Now({ site }: { site: FleetSite }) {
  return (
    <Card title="Now" note={`${FLEET_STATES[site.state].text}, since ${stampFull(site.since)}`}>
      <p class="fleet-now"><FleetState state={site.state} /></p>
      {site.reasons.length > 0 && (
        <ul class="fleet-reasons">
          {site.reasons.map((r) => (
            <li key={r.reason}>{r.text} <span class="muted small">since {stampFull(r.since)}</span></li>
          ))}
        </ul>
      )}
      {site.heartbeat === null && <Empty small title="It has not spoken yet">Start <code>kizashi sensor</code> there.</Empty>}
    </Card>
  );
}

type Beat = NonNullable<FleetSite['heartbeat']>;

function used(free: number | undefined, size: number | undefined) {
  if (free === undefined || !size) return undefined;
  return `${percent(1 - free / size)} of ${bytes(size)} in use`;
}

/** Each figure that the site told; what it does not know is left out. */
function Machine({ of }: { of: Beat }) {
  const lost = (of.dropped_kernel ?? 0) + (of.dropped_queue ?? 0);
  const rows: [string, string | undefined][] = [
    ['Version', of.version],
    ['Sensor running', of.started && ago(of.started, Date.parse(of.sent))],
    ['Received', of.received === undefined ? undefined : `${count(of.received)} packets`],
    ['Dropped', of.received === undefined ? undefined : `${short(lost)} (${percent(lost / Math.max(1, lost + of.received))})`],
    ['Spool', used(of.spool_cap === undefined ? undefined : of.spool_cap - (of.spool_bytes ?? 0), of.spool_cap)],
    ['Waits for the hub', of.oldest_us === undefined ? undefined : of.oldest_us ? duration(of.oldest_us / 1000) : 'nothing'],
    ['Document', of.config_version === undefined ? undefined : `version ${of.config_version}`],
    ['Keys', of.keys_since && of.keys_until && `since ${stamp(of.keys_since)}, new ones ${stamp(of.keys_until)}`],
    ['Clock', of.clock_offset_us === undefined ? undefined : `${(of.clock_offset_us / 1000).toFixed(1)} ms off`],
    ['Disk', used(of.disk_free, of.disk_size)],
    ['Memory', used(of.memory_free, of.memory_size)],
    ['Temperature', of.temperature === undefined ? undefined : `${of.temperature} °C`],
    ['Failing disks', of.smart_failing === undefined ? undefined : String(of.smart_failing)],
    ['Machine running', of.uptime === undefined ? undefined : duration(of.uptime * 1000)],
  ];
  return (
    <Card title="Machine and sensor" note={`As it said ${stampFull(of.sent)}`}>
      <dl class="facts">
        {rows.map(([name, value]) => value !== undefined && (
          <>
            <dt key={name}>{name}</dt>
            <dd>{value}</dd>
          </>
        ))}
      </dl>
    </Card>
  );
}

function eventColumns(): Column<FleetEvent>[] {
  return [
    { head: 'Noticed', cell: (e) => <time class="nowrap" dateTime={e.time}>{stampFull(e.time)}</time> },
    { head: 'State', cell: (e) => <FleetState state={e.state} /> },
    { head: 'Why', cell: (e) => e.text || <span class="muted">–</span> },
    { head: 'Since', wide: true, cell: (e) => <time class="nowrap" dateTime={e.since}>{stampFull(e.since)}</time> },
  ];
}
