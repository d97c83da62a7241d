import { useEffect, useState } from 'preact/hooks';
import { health, type Reason } from '../api/client';
import { useLive } from '../api/live';
import { troubles } from '../lib/trouble';
import { Icon } from './icon';

const EVERY = 15_000;

/** What is wrong with the hub now; a hub that cannot be reached is told of by the live badge and by every answer. */
function useReasons(): Reason[] {
  const [reasons, setReasons] = useState<Reason[]>([]);
  useEffect(() => {
    let here = true;
    const ask = () => {
      if (document.hidden) return;
      health().then((now) => here && setReasons(now), () => undefined);
    };
    ask();
    const timer = setInterval(ask, EVERY);
    return () => {
      here = false;
      clearInterval(timer);
    };
  }, []);
  return reasons;
}

/** On every page: that something is not taken in, or is being lost, and what to do. */
export function HealthBanner() {
  const reasons = useReasons();
  const { tick } = useLive();
  const found = troubles(reasons, tick?.sites ?? []);
  if (found.length === 0) return null;
  return (
    <div class="troubles" role="alert">
      {found.map((t) => (
        <p key={t.what} class={`banner ${t.grade === 'bad' ? 'banner-bad' : ''}`}>
          <Icon name="warn" size={18} />
          <span>
            <b>{t.what}</b>
            {t.detail && <>: {t.detail}</>}. <span class="muted">{t.todo}</span>
          </span>
        </p>
      ))}
    </div>
  );
}
