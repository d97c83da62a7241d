import { useHeld } from '../api/held';
import { ago, stamp, stampFull } from '../lib/format';

/** A time in UTC, with how long before the newest data it was. */
export function Time({ at, rel }: { at: string | null | undefined; rel?: boolean }) {
  const held = useHeld();
  if (!at) return <span class="muted">–</span>;
  return (
    <time class="nowrap" dateTime={at} title={stampFull(at)}>
      {rel ? ago(at, Math.max(held.last, Date.parse(at))) : stamp(at)}
    </time>
  );
}
