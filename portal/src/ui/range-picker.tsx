import { useEffect, useRef, useState } from 'preact/hooks';
import { useHeld } from '../api/held';
import { iso, stamp } from '../lib/format';
import { parseUtc, RANGES, rangeText, resolveRange, type Range, type RangeKey } from '../lib/range';
import { setQuery, useRoute } from '../lib/route';
import { Icon } from './icon';
import { Segments } from './segments';

/** The range that the address names, over what the store holds. */
export function useRange(): Range {
  const held = useHeld();
  const { query } = useRoute();
  return resolveRange(query, held, held.now);
}

export function RangePicker({ custom = true }: { custom?: boolean }) {
  const range = useRange();
  const pick = (key: RangeKey) => setQuery({ range: key, from: null, to: null });
  return (
    <div class="range">
      <Segments label="Time range, back from the newest data" value={range.key} onChange={pick}
        options={RANGES.map(({ key, label, text }) => ({ key, label, title: text }))} />
      {custom && <CustomRange range={range} />}
    </div>
  );
}

function CustomRange({ range }: { range: Range }) {
  const [open, setOpen] = useState(false);
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const [wrong, setWrong] = useState('');
  const box = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (!open) return;
    setFrom(stamp(range.from));
    setTo(stamp(range.to));
    setWrong('');
    const away = (event: MouseEvent) => !box.current?.contains(event.target as Node) && setOpen(false);
    const escape = (event: KeyboardEvent) => event.key === 'Escape' && setOpen(false);
    addEventListener('mousedown', away);
    addEventListener('keydown', escape);
    return () => {
      removeEventListener('mousedown', away);
      removeEventListener('keydown', escape);
    };
  }, [open]);

  const apply = (event: Event) => {
    event.preventDefault();
    const [begin, end] = [parseUtc(from), parseUtc(to)];
    if (!Number.isFinite(begin) || !Number.isFinite(end)) return setWrong('Write times as 2026-11-22 14:05.');
    if (begin >= end) return setWrong('The start must be before the end.');
    setOpen(false);
    setQuery({ range: null, from: iso(begin), to: iso(end) });
  };
  const active = range.key === 'custom';
  return (
    <div class="popover" ref={box}>
      <button class="button range-custom" type="button" aria-expanded={open} aria-pressed={active}
        onClick={() => setOpen(!open)} title={active ? rangeText(range) : 'Any range'}>
        <Icon name="calendar" size={16} />
        <span>{active ? `${stamp(range.from)} – ${stamp(range.to)}` : 'Custom'}</span>
      </button>
      {open && (
        <form class="popover-box form" onSubmit={apply}>
          <label class="field">
            From (UTC)
            <input class="input" value={from} onInput={(e) => setFrom(e.currentTarget.value)} autofocus />
          </label>
          <label class="field">
            To (UTC, not included)
            <input class="input" value={to} onInput={(e) => setTo(e.currentTarget.value)} />
          </label>
          {wrong && <p class="form-error">{wrong}</p>}
          <button class="button button-main" type="submit">
            Show
          </button>
        </form>
      )}
    </div>
  );
}
