import { checkAddress, checkAsn, checkCountry, checkName, setFilter, useFilters } from '../lib/traffic';
import { TextField } from './field';

export function VictimFilters() {
  const filters = useFilters();
  return (
    <div class="filters" role="search" aria-label="Filters">
      <TextField label="Victim or prefix" name="src" value={filters.src} placeholder="198.51.100.0/24" check={checkAddress} onChange={(v) => setFilter('src', v)} />
      <TextField label="Country" name="country" value={filters.country} placeholder="jp" check={checkCountry} onChange={(v) => setFilter('country', v.toLowerCase())} />
      <TextField label="Network (AS)" name="asn" value={filters.asn} placeholder="2497" check={checkAsn} onChange={(v) => setFilter('asn', v.replace(/^as/i, ''))} />
      <TextField label="Seen at" name="site" value={filters.site} placeholder="jp-01" check={checkName} onChange={(v) => setFilter('site', v)} />
    </div>
  );
}
