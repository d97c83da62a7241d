import { csvUrl, url, type AlertSummary, type CountryRow, type Page } from '../api/client';
import { usePages } from '../api/pages';
import { useResource } from '../api/resource';
import { rangeQuery } from '../lib/range';
import { href } from '../lib/route';
import { useFilters } from '../lib/traffic';
import { AlertRow } from '../ui/alert-row';
import { Card } from '../ui/card';
import { List, NothingHere } from '../ui/list';
import { useRange } from '../ui/range-picker';
import { Answer, Empty } from '../ui/state';
import { countryColumns, SOURCE_COLUMNS, type SourceRow } from './sources-columns';

/** Beneath the chart of one port: its alerts, its countries, its busiest sources. */
export function PortAlerts({ proto, port }: { proto: string; port: number }) {
  const range = useRange();
  const filters = useFilters();
  const ask = { ...rangeQuery(range), ...filters, proto, port };
  const alerts = useResource<Page<AlertSummary>>(url('/alerts', { proto, port, limit: 5 }));
  const countries = usePages<CountryRow>('/countries', { ...ask, limit: 10 });
  const sources = usePages<SourceRow>('/sources', { ...ask, limit: 20 });
  const most = countries.rows?.[0]?.packets ?? 0;
  return (
    <>
      <div class="grid cols-2">
        <Card title="Alerts on this port" flush tools={<a class="button button-small" href={href(['alerts'], { proto, port, severity: 'info', range: 'all' })}>All</a>}>
          <Answer of={alerts} height={160}>
            {(page) =>
              page.rows.length === 0 ? (
                <Empty small title="No alert on this port">Nothing improbable happened on it so far.</Empty>
              ) : (
                <ul class="alert-list">{page.rows.map((a) => <AlertRow key={a.id} alert={a} />)}</ul>
              )
            }
          </Answer>
        </Card>
        <Card title="Countries" csv={csvUrl('/countries', { ...ask, limit: 250 })} flush>
          <List of={countries} label="Countries" columns={countryColumns(most)} id={(r) => r.country} empty={<NothingHere what="source" />} />
        </Card>
      </div>
      <Card title="Busiest sources" csv={csvUrl('/sources', { ...ask, limit: 10_000 })} flush>
        <List of={sources} label="Sources" columns={SOURCE_COLUMNS} id={(r) => r.src} empty={<NothingHere what="source" />} />
      </Card>
    </>
  );
}
