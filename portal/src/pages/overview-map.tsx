import type { CountryRow, Page } from '../api/client';
import type { Resource } from '../api/resource';
import { LazyMap } from '../charts/lazy-map';
import { countryName } from '../lib/countries';
import { count, percent, short } from '../lib/format';
import { sum } from '../lib/series';
import { BarCell } from '../ui/bar-cell';
import { Card } from '../ui/card';
import { DataTable, type Column } from '../ui/data-table';
import { Origin } from '../ui/origin';
import { Country } from '../ui/flag';
import { Answer, Empty } from '../ui/state';

interface MapCardProps {
  countries: Resource<Page<CountryRow>>;
  csv: string;
  note: string;
  onPick: (country: string) => void;
}

const LISTED = 9;

export function MapCard({ countries, csv, note, onPick }: MapCardProps) {
  return (
    <Card title="Where it comes from" note={`Sources by country, ${note}`} csv={csv} foot={<Origin kind="country" />}>
      <Answer of={countries} height={360}>
        {(page) => {
          if (page.rows.length === 0) return <Empty title="No source in this range">Choose a longer time range.</Empty>;
          const rows = page.rows.filter((r) => r.country !== '').sort((a, b) => b.sources - a.sources);
          const unknown = sum(page.rows.filter((r) => r.country === '').map((r) => r.sources));
          const total = sum(page.rows.map((r) => r.sources));
          return (
            <div class="grid cols-map map-pair">
              <LazyMap values={rows.map((r) => ({ country: r.country, value: r.sources }))} unit="sources" onPick={onPick} />
              <div>
                <DataTable label="Countries" rows={rows} most={LISTED} id={(r) => r.country} columns={columns(total, rows[0]?.sources ?? 0, onPick)} />
                <p class="small muted map-note">
                  {rows.length > LISTED && `and ${rows.length - LISTED} more countries`}
                  {unknown > 0 && `${rows.length > LISTED ? '; ' : ''}${count(unknown)} sources of no known country`}
                </p>
              </div>
            </div>
          );
        }}
      </Answer>
    </Card>
  );
}

function columns(total: number, most: number, onPick: (country: string) => void): Column<CountryRow>[] {
  return [
    {
      head: 'Country',
      sort: (r) => countryName(r.country),
      cell: (r) => (
        <button class="link" type="button" onClick={() => onPick(r.country)}>
          <Country code={r.country} />
          <BarCell value={r.sources} most={most} />
        </button>
      ),
    },
    { head: 'Sources', num: true, sort: (r) => r.sources, cell: (r) => <span title={count(r.sources)}>{short(r.sources)}</span> },
    { head: 'Packets', num: true, wide: true, sort: (r) => r.packets, cell: (r) => <span title={count(r.packets)}>{short(r.packets)}</span> },
    { head: 'Share', num: true, sort: (r) => r.sources, help: 'Of all sources in the range', cell: (r) => <span class="muted">{percent(r.sources / Math.max(1, total))}</span> },
  ];
}
