import type { AsnRow, CountryRow, SourceRow } from '../api/client';
import { countryName } from '../lib/countries';
import { count, short } from '../lib/format';
import { href, setQuery } from '../lib/route';
import { BarCell } from '../ui/bar-cell';
import type { Column } from '../ui/data-table';
import { Country } from '../ui/flag';
import { asnText, Network } from '../ui/network';
import { Time } from '../ui/time';

export type { SourceRow };

export const SOURCE_COLUMNS: Column<SourceRow>[] = [
  { head: 'Address', cell: (r) => <a class="mono" href={href(['sources', r.src])}>{r.src}</a>, sort: (r) => r.src },
  { head: 'Country', cell: (r) => <Country code={r.country} short />, sort: (r) => r.country },
  { head: 'Network', wide: true, cell: (r) => <Network asn={r.asn} name={r.as_name} />, sort: (r) => r.asn },
  { head: 'Class', wide: true, cell: (r) => r.class, sort: (r) => r.class },
  { head: 'Tool', wide: true, cell: (r) => r.tool || <span class="muted">–</span>, sort: (r) => r.tool },
  { head: 'Packets', num: true, cell: (r) => <span title={count(r.packets)}>{short(r.packets)}</span>, sort: (r) => r.packets },
  { head: 'Ports', num: true, wide: true, help: 'Different services', cell: (r) => count(r.ports), sort: (r) => r.ports },
  { head: 'Sites', num: true, wide: true, help: 'Sites that saw it', cell: (r) => count(r.sites), sort: (r) => r.sites },
  { head: 'First', num: true, wide: true, cell: (r) => <Time at={r.first} />, sort: (r) => r.first },
  { head: 'Last', num: true, cell: (r) => <Time at={r.last} rel />, sort: (r) => r.last },
];

export function countryColumns(most: number): Column<CountryRow>[] {
  return [
    {
      head: 'Country',
      sort: (r) => countryName(r.country),
      cell: (r) => (
        <>
          <Country code={r.country} />
          <BarCell value={r.packets} most={most} />
        </>
      ),
    },
    { head: 'Sources', num: true, cell: (r) => <span title={count(r.sources)}>{short(r.sources)}</span>, sort: (r) => r.sources },
    { head: 'Packets', num: true, cell: (r) => <span title={count(r.packets)}>{short(r.packets)}</span>, sort: (r) => r.packets },
    { head: 'Ports', num: true, wide: true, cell: (r) => count(r.ports), sort: (r) => r.ports },
  ];
}

/** A click narrows the page to the network. */
export function asnColumns(most: number): Column<AsnRow>[] {
  return [
    {
      head: 'Network',
      sort: (r) => r.as_name || asnText(r.asn),
      cell: (r) => (
        <button class="link" type="button" onClick={() => setQuery({ asn: r.asn })}>
          <span class="row between">
            <Network asn={r.asn} name={r.as_name} />
            <span class="muted"><Country code={r.country} short /></span>
          </span>
          <BarCell value={r.packets} most={most} />
        </button>
      ),
    },
    { head: 'Sources', num: true, cell: (r) => <span title={count(r.sources)}>{short(r.sources)}</span>, sort: (r) => r.sources },
    { head: 'Packets', num: true, cell: (r) => <span title={count(r.packets)}>{short(r.packets)}</span>, sort: (r) => r.packets },
    { head: 'Ports', num: true, wide: true, cell: (r) => count(r.ports), sort: (r) => r.ports },
  ];
}
