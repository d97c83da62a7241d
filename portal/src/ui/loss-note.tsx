import { url, type Page, type SiteRow } from '../api/client';
import { useResource } from '../api/resource';
import { count, percent } from '../lib/format';
import { lossPart, LOSS_MATTERS } from '../lib/loss';
import { href } from '../lib/route';

/** What the sites lost in the range, beside the graph that it bends. */
export function LossNote({ from, to, site }: { from: string; to: string; site?: string }) {
  const answer = useResource<Page<SiteRow>>(url('/sites', { from, to }));
  if (!answer.data) return null;
  const rows = answer.data.rows.filter((r) => !site || r.site === site);
  const lossy = rows.filter((r) => lossPart(r) >= LOSS_MATTERS);
  const lost = rows.reduce((sum, r) => sum + r.dropped + r.sampled_out + r.malformed, 0);
  if (lossy.length === 0) {
    return <p class="losses">{lost === 0 ? 'Nothing was lost in this range.' : `${count(lost)} packets were lost in this range, too few to see.`}</p>;
  }
  return (
    <p class="losses">
      <span>The lines are too low where packets were lost:</span>
      {lossy.map((r) => (
        <a key={r.site} href={href(['sites', r.site])} title={`${count(r.dropped)} dropped, ${count(r.sampled_out)} sampled out, ${count(r.malformed)} malformed`}>
          {r.site} {percent(lossPart(r))}
        </a>
      ))}
    </p>
  );
}
