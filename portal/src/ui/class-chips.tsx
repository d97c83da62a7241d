import { clickClass, parseClasses } from '../lib/classes';
import { CLASSES } from '../lib/traffic';

interface ClassChipsProps {
  /** "scan,worm" only these, "-survey" all but that, "" everything. */
  value: string;
  onChange: (value: string) => void;
}

/** A click shows only the class, another one leaves it out, a third shows all again; clicks on others add them. */
export function ClassChips({ value, onChange }: ClassChipsProps) {
  const chosen = parseClasses(value);
  return (
    <div class="chips class-chips" role="group" aria-label="Classes of traffic">
      <button type="button" class="chip" aria-pressed={value === ''} onClick={() => onChange('')}>
        all classes
      </button>
      {CLASSES.map(([name, text]) => {
        const named = chosen.names.includes(name);
        const only = named && !chosen.out;
        const out = named && chosen.out;
        return (
          <button key={name} type="button" class={out ? 'chip chip-out' : 'chip'} aria-pressed={only} onClick={() => onChange(clickClass(value, name))}
            title={`${text}. ${out ? 'Left out; click to have it again' : only ? 'Shown; click to take it away' : chosen.names.length === 0 ? 'Click for only this' : chosen.out ? 'Click to leave it out, too' : 'Click to have it, too'}`}
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
