import { useEffect } from 'preact/hooks';
import { url, type Fleet, type FleetRow } from '../api/client';
import { invalidate, useResource } from '../api/resource';
import { share } from '../lib/fleet';
import { ago, short } from '../lib/format';
import { href } from '../lib/route';
import { Card } from '../ui/card';
import { DataTable, type Column } from '../ui/data-table';
import { FLEET_STATES, FleetState, Strip } from '../ui/fleet-state';
import { Head } from '../ui/head';
import { SitesTabs } from '../ui/sites-tabs';
import { Answer, Empty } from '../ui/state';

const EVERY = 10_000;
const ORDER = ['down', 'late', 'degraded', 'unwatched', 'new', 'up'];

/** What is shown is asked for again every ten seconds, and at once when a site's state changes. */
export function useFleetNews(): void {
  useEffect(() => {
    const timer = setInterval(() => document.hidden || invalidate('/fleet'), EVERY);
    return () => clearInterval(timer);
  }, []);
}

export function FleetPage() {
  useFleetNews();
  const fleet = useResource<Fleet>(url('/fleet'));
  return (
    <>
      <Head title="Fleet" text="Sites that run by themselves: how each is, and why.">
        <SitesTabs now="fleet" />
      </Head>
      <Answer of={fleet} height={260}>
        {(answer) =>
          answer.rows.length === 0 ? (
            <Card title="Sites">
              <Empty title="No site runs by itself yet">
                Enrol one: <code>kizashi site add NAME</code> gives a token for <code>kizashi site enrol</code> on its machine.
              </Empty>
            </Card>
          ) : (
            <div class="stack">
              <Counts rows={answer.rows} />
              <Card title="Sites" note={<span class="wide-only">The strip is the last 24 hours; taller is worse.</span>} flush>
                <DataTable label="Fleet" columns={columns(Date.parse(answer.now))} rows={inOrder(answer.rows)} id={(r) => r.site} />
              </Card>
            </div>
          )
        }
      </Answer>
    </>
  );
}

/** What needs a person comes first. */
function inOrder(rows: FleetRow[]): FleetRow[] {
  return [...rows].sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || a.site.localeCompare(b.site, 'en'));
}

function Counts({ rows }: { rows: FleetRow[] }) {
  return (
    <p class="row fleet-counts" role="status">
      {ORDER.map((state) => {
        const count = rows.filter((r) => r.state === state).length;
        const about = FLEET_STATES[state as FleetRow['state']];
        return count > 0 && (
          <span key={state} class="chip" title={about.text}>
            <i class={about.dot} aria-hidden="true" />
            {count} {state}
          </span>
        );
      })}
    </p>
  );
}

function columns(now: number): Column<FleetRow>[] {
  return [
    { head: 'Site', cell: (r) => <a class="strong nowrap" href={href(['fleet', r.site])}>{r.site}</a>, sort: (r) => r.site },
    {
      head: 'State',
      cell: (r) => (
        <>
          <FleetState state={r.state} />
          {r.reasons[0] && <span class="sub">{r.reasons[0].text}</span>}
        </>
      ),
      sort: (r) => ORDER.indexOf(r.state),
    },
    { head: 'Since', wide: true, cell: (r) => <time class="nowrap" dateTime={r.since} title={r.since}>{ago(r.since, now)}</time>, sort: (r) => r.since },
    { head: 'Last 24 hours', wide: true, cell: (r) => <Strip strip={r.strip} /> },
    { head: 'Available', num: true, help: 'Share of the last 30 days in which it was not down', cell: (r) => (r.month.watched ? share(r.month.available) : '–'), sort: (r) => r.month.available },
    { head: 'Received', num: true, wide: true, help: 'Packets since the sensor was started', cell: (r) => short(r.heartbeat?.received), sort: (r) => r.heartbeat?.received ?? 0 },
    { head: 'Heard', num: true, cell: (r) => (r.heard ? <time class="nowrap" dateTime={r.heard} title={r.heard}>{ago(r.heard, now)}</time> : 'never'), sort: (r) => r.heard ?? '' },
  ];
}
