import type { Tick } from '../api/client';
import { useLive, type News } from '../api/live';
import { Sparkline } from '../charts/sparkline';
import { clockSeconds, short, stampFull } from '../lib/format';
import { href } from '../lib/route';
import { Card } from '../ui/card';
import { SeverityMark } from '../ui/severity';
import { Empty } from '../ui/state';

const SHOWN = 8;
/** Fewer ticks make no curve. */
const TICKS_LEAST = 5;

/** Packets a second as they come, and the last that happened. */
export function LiveCard() {
  const { state, tick, recent, news } = useLive();
  const shown = news.slice(0, SHOWN);
  return (
    <Card title="Live" note={newest(tick)}>
      <div class="live">
        <div class="row between">
          <span class="live-rate" data-pps={tick?.pps}>
            <b>{tick ? short(tick.pps) : '–'}</b> <span class="muted">packets/s</span>
          </span>
          {recent.length >= TICKS_LEAST && <Sparkline values={recent} width={150} height={36} color="c3" label="Packets a second, the last three minutes" />}
        </div>
        {state === 'lost' && <p class="form-error">The live line is down. It is tried again by itself.</p>}
        {shown.length === 0 ? (
          <Empty small title="Nothing has happened since you came">
            New alerts and changes of sites appear here.
          </Empty>
        ) : (
          <ul class="news" aria-live="polite">
            {shown.map((item) => (
              <NewsItem key={`${item.at}${item.what}`} item={item} />
            ))}
          </ul>
        )}
      </div>
    </Card>
  );
}

/** What is replayed is not of now, however fast its packets come. */
function newest(tick: Tick | undefined): string {
  if (!tick?.data_time) return 'What the hub sees now';
  const read = tick.sites.some((site) => site.state === 'replaying') ? ', of a capture that is being read' : '';
  return `Newest packet ${stampFull(tick.data_time)}${read}`;
}

function NewsItem({ item }: { item: News }) {
  return (
    <li>
      <time class="muted small">{clockSeconds(item.at)}</time>
      {item.what === 'alert' ? (
        <span>
          <SeverityMark of={item.alert.severity} bare /> <a href={href(['alerts', item.alert.id])}>{item.alert.title}</a>{' '}
          <span class="muted small">{newsWord(item.alert.status, item.alert.revision)}</span>
        </span>
      ) : (
        <span>
          <a href={href(['sites', item.site.site])}>{item.site.site}</a> is {item.site.state}
          {item.site.detail ? `: ${item.site.detail}` : ''}
        </span>
      )}
    </li>
  );
}

function newsWord(status: string, revision: number): string {
  if (status === 'closed') return 'closed';
  return revision <= 1 ? 'new' : 'grew';
}
