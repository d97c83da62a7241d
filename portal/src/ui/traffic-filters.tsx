import { setQuery } from '../lib/route';
import { parsePort, portText } from '../lib/ports';
import {
  anyFilter, checkAddress, checkAsn, checkCountry, checkName, clearFilters, setFilter, useFilters,
} from '../lib/traffic';
import { ClassChips } from './class-chips';
import { TextField } from './field';
import { ScreenFilter } from './screen-filter';

/** What narrows ports and sources. Where the page itself is about a port, that field goes to another page instead. */
export function TrafficFilters({ goto }: { goto?: { value: string; onGo: (text: string) => void } }) {
  const filters = useFilters();
  const parsed = parsePort(filters.port);
  const portValue = parsed ? (filters.proto ? portText(filters.proto, parsed.port) : String(parsed.port)) : '';
  const setPort = (text: string) => {
    const wanted = parsePort(text);
    setQuery({ port: wanted?.port ?? null, proto: wanted?.proto ?? null });
  };
  return (
    <>
      <div class="filters" role="search" aria-label="Filters">
        {goto ? (
          <TextField label="Port" name="goto" value={goto.value} placeholder="53413/udp" onChange={goto.onGo}
            check={(text) => (parsePort(text)?.proto ? undefined : 'With its protocol: 53413/udp.')} />
        ) : (
          <TextField label="Port" name="port" value={portValue} placeholder="3389/tcp" onChange={setPort}
            check={(text) => (parsePort(text) ? undefined : 'Written 3389 or 3389/tcp.')} />
        )}
        <TextField label="Site" name="site" value={filters.site} placeholder="jp-01" check={checkName} onChange={(v) => setFilter('site', v)} />
        <TextField label="Country" name="country" value={filters.country} placeholder="kr" check={checkCountry}
          onChange={(v) => setFilter('country', v.toLowerCase())} />
        <TextField label="Network (AS)" name="asn" value={filters.asn} placeholder="2497" check={checkAsn}
          onChange={(v) => setFilter('asn', v.replace(/^as/i, ''))} />
        <TextField label="Tool" name="tool" value={filters.tool} placeholder="zmap" check={checkName} onChange={(v) => setFilter('tool', v)} />
        <TextField label="Address or prefix" name="src" value={filters.src} placeholder="192.0.2.0/24" check={checkAddress}
          onChange={(v) => setFilter('src', v)} />
        {anyFilter(filters) && (
          <button class="button" type="button" onClick={clearFilters}>
            Clear
          </button>
        )}
      </div>
      <ClassChips value={filters.class} onChange={(v) => setFilter('class', v)} />
      <ScreenFilter />
    </>
  );
}
