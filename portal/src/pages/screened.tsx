import { csvUrl, url, type AlertSummary, type Page, type ScreenedRow, type TaggedRow, type Totals } from '../api/client';
import { usePages } from '../api/pages';
import { useResource, type Resource } from '../api/resource';
import { count, percent, short } from '../lib/format';
import { rangeQuery, rangeText } from '../lib/range';
import { href, setQuery, useRoute } from '../lib/route';
import { TAGS } from '../lib/screen';
import { AlertRow } from '../ui/alert-row';
import { BarCell } from '../ui/bar-cell';
import { Card } from '../ui/card';
import type { Column } from '../ui/data-table';
import { Country } from '../ui/flag';
import { Head } from '../ui/head';
import { List } from '../ui/list';
import { Network } from '../ui/network';
import { RangePicker, useRange } from '../ui/range-picker';
import { Segments } from '../ui/segments';
import { Answer, Empty } from '../ui/state';
import { Time } from '../ui/time';

/** Alerts that are looked through for new patterns; more than a telescope has in a month. */
const ALERTS = 500;

export function ScreenedPage() {
  const { query } = useRoute();
  const range = useRange();
  const span = rangeQuery(range);
  const tag = query.get('tag') ?? '';
  const reason = query.get('reason') ?? '';
  const reasons = usePages<ScreenedRow>('/screened', { ...span, tag, limit: 50 });
  const tagged = usePages<TaggedRow>('/tagged', { ...span, tag, reason, limit: 50 });
  const all = useResource<Page<Totals>>(url('/totals', span));
  const known = useResource<Page<Totals>>(url('/totals', { ...span, tag: 'known,survey-like' }));
  const alerts = useResource<Page<AlertSummary>>(url('/alerts', { ...span, severity: 'info', limit: ALERTS }));
  return (
    <>
      <Head title="Screened" text="What is known noise and why, and what is new. A tag takes nothing away: pages leave it out when they are told to.">
        <RangePicker />
      </Head>
      <div class="stack">
        <ShareCard all={all} known={known} />
        <NewPatterns alerts={alerts} />
        <div class="row">
          <Segments label="Tag" value={tag} onChange={(key) => setQuery({ tag: key, reason: null })}
            options={[{ key: '', label: 'All tags' }, ...TAGS.map(([key, title]) => ({ key, label: key, title }))]} />
        </div>
        <Card title="Reasons" note={`${rangeText(range)}; a rule that a person has accepted or that is built in, or what known malware sends`}
          csv={csvUrl('/screened', { ...span, tag, limit: 10_000 })} flush>
          <List of={reasons} label="Reasons" columns={reasonColumns(reason, reasons.rows?.[0]?.packets ?? 0)} id={(r) => `${r.tag} ${r.reason}`}
            empty={<Empty title="Nothing was tagged in this range">
              Screening knows malware by its signature once it has seen it for a day, and what rules say that a person has accepted.
            </Empty>} />
        </Card>
        <Card title={reason ? `Sources tagged by ${reason}` : 'Sources that are tagged'} note="One row for each source and reason, most packets first"
          csv={csvUrl('/tagged', { ...span, tag, reason, limit: 10_000 })} flush
          {...(reason ? { tools: <button class="button button-small" type="button" onClick={() => setQuery({ reason: null })}>All reasons</button> } : {})}>
          <List of={tagged} label="Tagged sources" columns={TAGGED} id={(r) => `${r.src}${r.tag}${r.reason}`}
            empty={<Empty small title="No source was tagged in this range" />} />
        </Card>
      </div>
    </>
  );
}

const TAGGED: Column<TaggedRow>[] = [
  { head: 'Address', cell: (r) => <a class="mono" href={href(['sources', r.src])}>{r.src}</a>, sort: (r) => r.src },
  { head: 'Country', cell: (r) => <Country code={r.country} short />, sort: (r) => r.country },
  { head: 'Network', wide: true, cell: (r) => <Network asn={r.asn} name={r.as_name} />, sort: (r) => r.asn },
  { head: 'Tag', wide: true, cell: (r) => r.tag, sort: (r) => r.tag },
  { head: 'Reason', cell: (r) => r.reason, sort: (r) => r.reason },
  { head: 'Packets', num: true, help: 'Of contacts with the tag', cell: (r) => <span title={count(r.packets)}>{short(r.packets)}</span>, sort: (r) => r.packets },
  { head: 'Ports', num: true, wide: true, help: 'Different services that have the tag', cell: (r) => count(r.ports), sort: (r) => r.ports },
  { head: 'Last', num: true, wide: true, cell: (r) => <Time at={r.last} rel />, sort: (r) => r.last },
];

/** A click narrows the sources below to the reason. */
function reasonColumns(chosen: string, most: number): Column<ScreenedRow>[] {
  return [
    {
      head: 'Reason',
      sort: (r) => r.reason,
      cell: (r) => (
        <button class="link reason" type="button" aria-pressed={r.reason === chosen}
          onClick={() => setQuery({ reason: r.reason === chosen ? null : r.reason })}>
          <span class="row row-wrap"><b>{r.reason}</b> <span class="muted small">{r.tag}</span></span>
          <span class="small quiet reason-words">{r.what}</span>
          <BarCell value={r.packets} most={most} />
        </button>
      ),
    },
    { head: 'Sources', num: true, cell: (r) => <span title={count(r.sources)}>{short(r.sources)}</span>, sort: (r) => r.sources },
    { head: 'Packets', num: true, cell: (r) => <span title={count(r.packets)}>{short(r.packets)}</span>, sort: (r) => r.packets },
    { head: 'First', num: true, wide: true, cell: (r) => <Time at={r.first} />, sort: (r) => r.first },
    { head: 'Last', num: true, wide: true, cell: (r) => <Time at={r.last} />, sort: (r) => r.last },
  ];
}

interface ShareCardProps {
  all: Resource<Page<Totals>>;
  known: Resource<Page<Totals>>;
}

/** How much of the range is tagged. */
function ShareCard({ all, known }: ShareCardProps) {
  const both = all.data && known.data ? { all: all.data.rows[0], known: known.data.rows[0] } : undefined;
  const of = { ...(all.fault ? all : known), data: both };
  return (
    <Card title="How much is tagged">
      <Answer of={of} height={48}>
        {(data) => (
          <p>
            <b>{percent(share(data.known?.packets, data.all?.packets))}</b> of {short(data.all?.packets ?? 0)} packets, sent by{' '}
            <b>{short(data.known?.sources ?? 0)}</b> of {short(data.all?.sources ?? 0)} sources. Surveys on a list have the class survey and are not counted here.{' '}
            Look at <a href={href(['ports'], { tag: '-known,-survey-like' })}>ports</a> or{' '}
            <a href={href(['sources'], { tag: '-known,-survey-like' })}>sources</a> without it.
          </p>
        )}
      </Answer>
    </Card>
  );
}

function share(part: number | undefined, whole: number | undefined): number {
  return whole ? (part ?? 0) / whole : 0;
}

/** Alerts in which screening has a part, whoever saw it first. */
function NewPatterns({ alerts }: { alerts: Resource<Page<AlertSummary>> }) {
  return (
    <Card title="New patterns" note="What many networks send that nobody sent before, with how many over time; alerts of other engines about the same are one with it" flush>
      <Answer of={alerts} height={160}>
        {(data) => {
          const rows = data.rows.filter((a) => a.engine.includes('screen'));
          return rows.length === 0 ? (
            <Empty small title="No new pattern in this range">Patterns are news a day after the first window, when eight networks and more share one.</Empty>
          ) : (
            <ul class="alert-list">
              {rows.map((alert) => <AlertRow key={alert.id} alert={alert} engine="screen" />)}
            </ul>
          );
        }}
      </Answer>
    </Card>
  );
}
