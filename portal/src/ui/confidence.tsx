const WORDS: [number, string][] = [
  [0.95, 'nearly certain'],
  [0.8, 'very likely'],
  [0.6, 'likely'],
  [0.4, 'unclear'],
  [0, 'doubtful'],
];

export function confidenceWord(value: number): string {
  return WORDS.find(([least]) => value >= least)?.[1] ?? 'doubtful';
}

/** How sure: five bars, per cent and a word. */
export function Confidence({ value, word }: { value: number; word?: boolean }) {
  const text = `${Math.round(value * 100)} %`;
  return (
    <span class="confidence" title={`Confidence ${text}: ${confidenceWord(value)}`}>
      <span class="meter" aria-hidden="true">
        {[0.1, 0.3, 0.5, 0.7, 0.9].map((step) => (
          <i key={step} class={value >= step ? 'on' : undefined} />
        ))}
      </span>
      <span>
        <span class="visually-hidden">Confidence </span>
        {text}
        {word && ` · ${confidenceWord(value)}`}
      </span>
    </span>
  );
}
