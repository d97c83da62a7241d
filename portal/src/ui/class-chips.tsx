import { CLASSES } from '../lib/traffic';

interface ClassChipsProps {
  /** "scan" only scans, "-scan" all but scans, "" everything. */
  value: string;
  onChange: (value: string) => void;
}

/** A click shows only the class, another one leaves it out, a third shows all again. */
export function ClassChips({ value, onChange }: ClassChipsProps) {
  const next = (name: string) => (value === name ? `-${name}` : value === `-${name}` ? '' : name);
  return (
    <div class="chips class-chips" role="group" aria-label="Classes of traffic">
      <button type="button" class="chip" aria-pressed={value === ''} onClick={() => onChange('')}>
        all classes
      </button>
      {CLASSES.map(([name, text]) => {
        const only = value === name;
        const out = value === `-${name}`;
        return (
          <button key={name} type="button" class={out ? 'chip chip-out' : 'chip'} aria-pressed={only} onClick={() => onChange(next(name))}
            title={`${text}. ${out ? 'Left out; click for all' : only ? 'Only this; click to leave it out' : 'Click for only this'}`}
            aria-label={out ? `without ${name}` : only ? `only ${name}` : name}>
            {out ? `without ${name}` : only ? `only ${name}` : name}
          </button>
        );
      })}
      {value === '' && (
        <button type="button" class="chip" onClick={() => onChange('-survey')} title="Leave announced surveys out">
          leave surveys out
        </button>
      )}
    </div>
  );
}
