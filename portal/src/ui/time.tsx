import { useHeld } from '../api/held';
import { ago, stamp, stampFull } from '../lib/format';

/** Data older than that is of a capture that was read, not of now. */
const FRESH = 15 * 60_000;

/** A time in UTC; how long ago it was only where that means something: not in a capture of last spring. */
export function Time({ at, rel }: { at: string | null | undefined; rel?: boolean }) {
  const held = useHeld();
  if (!at) return <span class="muted">–</span>;
  return (
    <time class="nowrap" dateTime={at} title={stampFull(at)}>
      {rel && held.now - held.last < FRESH ? ago(at, Math.max(held.last, Date.parse(at))) : stamp(at)}
    </time>
  );
}
