import type { FleetFigures, FleetRow, FleetStrip } from '../api/client';
import { CELLS, share, stripText } from '../lib/fleet';
import { duration, plural, stamp } from '../lib/format';

type State = FleetRow['state'];

export const FLEET_STATES: Record<State, { dot: string; text: string }> = {
  up: { dot: 'dot dot-good', text: 'all is well' },
  degraded: { dot: 'dot dot-warn', text: 'works, but something needs a person' },
  late: { dot: 'dot dot-warn', text: 'alive, but what it sees does not arrive in time' },
  down: { dot: 'dot dot-bad', text: 'nothing is heard of it' },
  new: { dot: 'dot', text: 'never heard of' },
  unwatched: { dot: 'dot', text: 'not heard since the hub was started, or it has sent its captures and ended' },
};

export function FleetState({ state }: { state: State }) {
  return (
    <span class="row nowrap" title={FLEET_STATES[state].text}>
      <i class={FLEET_STATES[state].dot} aria-hidden="true" />
      {state}
    </span>
  );
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
