import { csvUrl, url, type AsnRow, type CountryRow, type Page, type ToolRow } from '../api/client';
import { usePages } from '../api/pages';
import { useResource } from '../api/resource';
import { count, short } from '../lib/format';
import { rangeQuery, rangeText } from '../lib/range';
import { setQuery } from '../lib/route';
import { useFilters } from '../lib/traffic';
import { BarCell } from '../ui/bar-cell';
import { Card } from '../ui/card';
import type { Column } from '../ui/data-table';
import { Head } from '../ui/head';
import { List, NothingHere } from '../ui/list';
import { Origin } from '../ui/origin';
import { RangePicker, useRange } from '../ui/range-picker';
import { TrafficFilters } from '../ui/traffic-filters';
import { MapCard } from './overview-map';
import { asnColumns, SOURCE_COLUMNS, type SourceRow } from './sources-columns';

const NAMED = 'From the window on in which the evidence was enough; before it a source counts under none';

export function SourcesPage() {
  const range = useRange();
  const ask = { ...rangeQuery(range), ...useFilters() };
  const countries = useResource<Page<CountryRow>>(url('/countries', { ...ask, limit: 250 }));
  const asns = usePages<AsnRow>('/asns', { ...ask, limit: 12 });
  const tools = usePages<ToolRow>('/tools', { ...ask, limit: 12 });
  const sources = usePages<SourceRow>('/sources', { ...ask, limit: 50 });
  const all = { limit: 10_000 };
  return (
    <>
      <Head title="Sources" text="Who sends: countries, networks, tools, and single addresses.">
        <RangePicker />
      </Head>
      <div class="stack">
        <div>
          <TrafficFilters />
        </div>
        <MapCard countries={countries} csv={csvUrl('/countries', { ...ask, ...all })} note={rangeText(range)}
          onPick={(country) => setQuery({ country })} />
        <div class="grid cols-2">
          <Card title="Networks" csv={csvUrl('/asns', { ...ask, ...all })} flush foot={<Origin kind="asn" />}>
            <List of={asns} label="Networks" columns={asnColumns(asns.rows?.[0]?.packets ?? 0).slice(0, 3)} id={(r) => `${r.asn}${r.country}`}
              empty={<NothingHere what="source" />} />
          </Card>
          <Card title="Tools" note={NAMED} csv={csvUrl('/tools', { ...ask, ...all })} flush>
            <List of={tools} label="Tools" columns={toolColumns(tools.rows?.[0]?.packets ?? 0)} id={(r) => r.tool} empty={<NothingHere what="source" />} />
          </Card>
        </div>
        <Card title="Busiest addresses" csv={csvUrl('/sources', { ...ask, ...all })} flush>
          <List of={sources} label="Sources" columns={SOURCE_COLUMNS} id={(r) => r.src} empty={<NothingHere what="source" />} />
        </Card>
      </div>
    </>
  );
}

function toolColumns(most: number): Column<ToolRow>[] {
  return [
    {
      head: 'Tool',
      cell: (r) =>
        r.tool ? (
          <button class="link" type="button" onClick={() => setQuery({ tool: r.tool })}>
            <b>{r.tool}</b>
            <BarCell value={r.packets} most={most} />
          </button>
        ) : (
          <span class="muted">
            no tool named
            <BarCell value={r.packets} most={most} />
          </span>
        ),
    },
    { head: 'Sources', num: true, cell: (r) => <span title={count(r.sources)}>{short(r.sources)}</span>, sort: (r) => r.sources },
    { head: 'Packets', num: true, cell: (r) => <span title={count(r.packets)}>{short(r.packets)}</span>, sort: (r) => r.packets },
  ];
}
