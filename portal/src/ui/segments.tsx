interface SegmentsProps<K extends string> {
  label: string;
  options: { key: K; label: string; title?: string }[];
  value: K;
  onChange: (key: K) => void;
}

/** One of a few. */
export function Segments<K extends string>({ label, options, value, onChange }: SegmentsProps<K>) {
  return (
    <div class="segments" role="group" aria-label={label}>
      {options.map((option) => (
        <button key={option.key} type="button" title={option.title} aria-pressed={option.key === value}
          onClick={() => onChange(option.key)}>
          {option.label}
        </button>
      ))}
    </div>
  );
}
