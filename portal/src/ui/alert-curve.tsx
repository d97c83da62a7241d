import { useEffect, useRef, useState } from 'preact/hooks';
import { url, type Alert, type AlertSummary } from '../api/client';
import { useResource } from '../api/resource';
import { Sparkline } from '../charts/sparkline';
import { evidenceSeries } from '../lib/alerts';
import { href } from '../lib/route';

/** The curve that made an alert fire, or that of one engine. The list does not carry it: it is asked for once the row comes into view. */
export function AlertCurve({ alert, engine }: { alert: AlertSummary; engine?: string | undefined }) {
  const box = useRef<HTMLAnchorElement>(null);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    if (!box.current) return;
    const watch = new IntersectionObserver((entries) => {
      if (!entries.some((e) => e.isIntersecting)) return;
      setSeen(true);
      watch.disconnect();
    }, { rootMargin: '200px' });
    watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  const answer = useResource<Alert>(seen ? url(`/alerts/${encodeURIComponent(alert.id)}`) : null);
  const drawn = answer.data ? evidenceSeries(answer.data) : [];
  const first = drawn.find((d) => d.engine === engine) ?? drawn[0];
  return (
    <a class="alert-curve" ref={box} href={href(['alerts', alert.id])} tabIndex={-1} aria-hidden="true">
      {first && (
        <>
          <Sparkline values={first.series.values} threshold={first.series.threshold} width={172} height={56}
            color={alert.severity} label={alert.title} />
          <span class="small muted">{first.series.name}</span>
        </>
      )}
    </a>
  );
}
