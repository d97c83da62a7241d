import { url, type Dataset, type Rows } from '../api/client';
import { useResource } from '../api/resource';
import { count, day } from '../lib/format';

/** Where countries or networks come from and how old that is; shown wherever they are. */
export function Origin({ kind }: { kind: Dataset['kind'] }) {
  const datasets = useResource<Rows<Dataset>>(url('/datasets')).data;
  if (!datasets) return <span>…</span>;
  const sets = datasets.rows.filter((d) => d.kind === kind);
  const what = kind === 'country' ? 'Countries' : kind === 'asn' ? 'Networks' : 'Lists';
  if (sets.length === 0) return <span>{what}: no data set is loaded.</span>;
  return (
    <span class="origin">
      {sets.map((set) => (
        <span key={set.name}>{sentence(set)} </span>
      ))}
    </span>
  );
}

function sentence(set: Dataset): string {
  if (set.state === 'missing' || set.state === 'broken') return `${capital(set.name)}: ${set.state}. ${set.detail ?? ''}`;
  const date = set.date ? `of ${day(set.date) === '–' ? set.date : day(set.date)}` : 'date unknown';
  const parts = [set.origin ? `after ${set.origin}` : '', date, set.entries ? `${count(set.entries)} entries` : ''];
  const said = [`${capital(set.name)} ${parts.filter(Boolean).join(', ')}.`];
  if (set.state === 'old') said.push('It is old: some will be wrong.');
  if (set.attribution) said.push(set.attribution.replace(/\.?$/, '.'));
  return said.join(' ');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
