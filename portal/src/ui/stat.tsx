import type { ComponentChildren } from 'preact';
import { Sparkline } from '../charts/sparkline';
import { change, count, short } from '../lib/format';

interface StatProps {
  label: string;
  now: number;
  before: number | undefined;
  values?: number[];
  color?: string;
  /** Stands where the curve would, for what has none. */
  children?: ComponentChildren;
}

/** One figure, against the span before, with its curve. */
export function Stat({ label, now, before, values, color, children }: StatProps) {
  return (
    <div class="card stat">
      <span class="stat-label">{label}</span>
      <span class="stat-value" title={count(now)}>{short(now)}</span>
      <span class="stat-change" title={before === undefined ? undefined : `Before: ${count(before)}`}>
        {before === undefined ? 'nothing to compare' : <><b>{change(now, before)}</b>, was {short(before)}</>}
      </span>
      {values && <Sparkline values={values} width={104} height={40} color={color ?? 'c1'} label={`${label} over the range`} />}
      {children && <span class="stat-aside">{children}</span>}
    </div>
  );
}
