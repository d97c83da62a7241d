import type { FleetFigures, FleetRow, FleetStrip } from '../api/client';
import { duration, plural, stamp } from '../lib/format';

type State = FleetRow['state'];

export const FLEET_STATES: Record<State, { dot: string; text: string }> = {
  up: { dot: 'dot dot-good', text: 'all is well' },
  degraded: { dot: 'dot dot-warn', text: 'works, but something needs a person' },
  late: { dot: 'dot dot-warn', text: 'alive, but what it sees does not arrive in time' },
  down: { dot: 'dot dot-bad', text: 'nothing is heard of it' },
  new: { dot: 'dot', text: 'never heard of' },
  unwatched: { dot: 'dot', text: 'not heard since the hub was started' },
};

export function FleetState({ state }: { state: State }) {
  return (
    <span class="row nowrap" title={FLEET_STATES[state].text}>
      <i class={FLEET_STATES[state].dot} aria-hidden="true" />
      {state}
    </span>
  );
}

const CELLS: Record<string, { style: string; word: string }> = {
  u: { style: 'cell-up', word: 'up' },
  g: { style: 'cell-degraded', word: 'degraded' },
  l: { style: 'cell-late', word: 'late' },
  d: { style: 'cell-down', word: 'down' },
  '.': { style: 'cell-none', word: 'not watched' },
};

/** The strip in words, for those who do not see it: runs of the same state. */
export function stripText(strip: FleetStrip): string {
  const runs: string[] = [];
  const step = strip.step * 1000;
  for (let i = 0; i < strip.cells.length; ) {
    let end = i;
    while (end < strip.cells.length && strip.cells[end] === strip.cells[i]) end += 1;
    runs.push(`${CELLS[strip.cells[i] ?? '.']?.word} ${duration((end - i) * step)}`);
    i = end;
  }
  return runs.join(', then ');
}

/** The worst state in each part of a time: taller is worse, so that colour is not the only sign. */
export function Strip({ strip, tall }: { strip: FleetStrip; tall?: boolean }) {
  const from = Date.parse(strip.from);
  return (
    <span class={tall ? 'strip strip-tall' : 'strip'} role="img" aria-label={`From ${stamp(from)}: ${stripText(strip)}`}>
      {[...strip.cells].map((letter, i) => (
        <i key={i} class={CELLS[letter]?.style} title={`${stamp(from + i * strip.step * 1000)} ${CELLS[letter]?.word}`} />
      ))}
    </span>
  );
}

/** 99.95 %, and never "100 %" of a time in which something was missing. */
export function share(value: number): string {
  if (value >= 100) return '100 %';
  const text = (Math.floor(value * 1000) / 1000).toFixed(value >= 99 ? 3 : 1);
  return `${text} %`;
}

export function Figures({ of }: { of: FleetFigures }) {
  return (
    <dl class="facts">
      <dt title="Not down, of the time in which the hub watched">Available</dt>
      <dd>{of.watched ? share(of.available) : <span class="muted">not watched</span>}</dd>
      <dt title="Nothing was wrong">All well</dt>
      <dd>{of.watched ? share(of.healthy) : '–'}</dd>
      <dt>Outages</dt>
      <dd>
        {of.outages === 0 ? 'none' : plural(of.outages, 'outage')}
        {of.down > 0 && <span class="muted"> {duration(of.down * 1000)} in all</span>}
      </dd>
      <dt title="From the last word before an outage to the first after it">Mean time to repair</dt>
      <dd>
        {of.repair_mean === null ? '–' : duration(of.repair_mean * 1000)}
        {of.repair_longest !== null && of.repaired > 1 && <span class="muted"> longest {duration(of.repair_longest * 1000)}</span>}
      </dd>
      <dt>Late</dt>
      <dd>{duration(of.late * 1000)}</dd>
      <dt>Watched</dt>
      <dd>{duration(of.watched * 1000)}</dd>
    </dl>
  );
}
