import { useEffect, useState } from 'preact/hooks';

interface TextFieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  placeholder?: string;
  /** A sentence if the text is not acceptable. */
  check?: (value: string) => string | undefined;
  name?: string;
}

/** Taken on Enter or when it is left; a wrong text stays, is marked, and is not taken. */
export function TextField({ label, value, onChange, placeholder, check, name }: TextFieldProps) {
  const [text, setText] = useState(value);
  const [wrong, setWrong] = useState<string>();
  useEffect(() => setText(value), [value]);
  const take = () => {
    const clean = text.trim();
    const said = clean ? check?.(clean) : undefined;
    setWrong(said);
    if (!said && clean !== value) onChange(clean);
  };
  return (
    <label class="field">
      {label}
      <input class="input" name={name} value={text} placeholder={placeholder} spellcheck={false} autocomplete="off"
        aria-invalid={wrong ? true : undefined} onInput={(e) => setText(e.currentTarget.value)} onBlur={take}
        onKeyDown={(e) => e.key === 'Enter' && take()} />
      {wrong && <span class="form-error">{wrong}</span>}
    </label>
  );
}

interface SelectFieldProps {
  label: string;
  value: string;
  options: [string, string][];
  onChange: (value: string) => void;
  name?: string;
}

export function SelectField({ label, value, options, onChange, name }: SelectFieldProps) {
  const known = options.some(([key]) => key === value);
  return (
    <label class="field">
      {label}
      <select class="input" name={name} value={value} onChange={(e) => onChange(e.currentTarget.value)}>
        {!known && <option value={value}>{value}</option>}
        {options.map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
