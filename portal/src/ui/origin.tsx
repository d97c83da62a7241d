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
        <span key={set.name}>
          {set.state === 'loaded' || set.state === 'old' ? (
            <>
              {what} after {set.name}, {set.date ? `of ${day(set.date) === '–' ? set.date : day(set.date)}` : 'date unknown'}
              {set.entries ? `, ${count(set.entries)} entries` : ''}.{set.state === 'old' && ' It is old: some will be wrong.'}
            </>
          ) : (
            <>{what}: {set.name} is {set.state}. {set.detail}</>
          )}{' '}
          {set.attribution}
        </span>
      ))}
    </span>
  );
}
