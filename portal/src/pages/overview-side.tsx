import { csvUrl, type MoverRow, type Overview } from '../api/client';
import type { Resource } from '../api/resource';
import { change, count, short } from '../lib/format';
import { rangeQuery, rangeText, type Range } from '../lib/range';
import { href } from '../lib/route';
import { Card } from '../ui/card';
import { DataTable, type Column } from '../ui/data-table';
import { PortName } from '../ui/port-name';
import { siteColumns } from '../ui/site-columns';
import { Answer, Empty } from '../ui/state';

export const MOVER_COLUMNS: Column<MoverRow>[] = [
  { head: 'Service', cell: (r) => <PortName proto={r.proto} port={r.port} />, sort: (r) => r.port },
  { head: 'Sources', num: true, cell: (r) => <span title={count(r.sources)}>{short(r.sources)}</span>, sort: (r) => r.sources },
  {
    head: 'Change',
    num: true,
    help: 'Against the span of the same length just before',
    cell: (r) => <span class="up" title={`Before: ${count(r.before)}`}>{change(r.sources, r.before)}</span>,
    sort: (r) => r.ratio ?? Infinity,
  },
];

export function MoversCard({ overview, range, tag }: { overview: Resource<Overview>; range: Range; tag: string }) {
  return (
    <Card title="Movers" note={`Most changed number of sources, ${rangeText(range)} against the same before`} flush
      csv={csvUrl('/movers', { ...rangeQuery(range), tag })}>
      <Answer of={overview} height={240}>
        {(data) =>
          data.movers.length === 0 || !data.totals.before ? (
            <Empty small title="Nothing to compare">
              {data.totals.before ? 'No service changed.' : 'The store holds nothing from before this range: choose a shorter one.'}
            </Empty>
          ) : (
            <DataTable label="Movers" columns={MOVER_COLUMNS} rows={data.movers.slice(0, 8)} id={(r) => `${r.proto}${r.port}`} />
          )
        }
      </Answer>
    </Card>
  );
}

export function SitesCard({ overview, csv }: { overview: Resource<Overview>; csv: string }) {
  return (
    <Card title="Sites" note="What each delivered in the range, and what was lost" flush csv={csv}
      tools={<a class="button button-small" href={href(['sites'])}>All sites</a>}>
      <Answer of={overview} height={200}>
        {(data) =>
          data.sites.length === 0 ? (
            <Empty small title="No site yet">Add one with <code>--site NAME=FILE</code> or <code>--interface IF</code>.</Empty>
          ) : (
            <DataTable label="Sites" columns={siteColumns()} rows={data.sites} id={(r) => r.site} />
          )
        }
      </Answer>
    </Card>
  );
}
