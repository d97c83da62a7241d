// The filter by class as the API takes it: "scan,worm" is these, "-survey,-scan" all but these, "" everything.
export interface Classes {
  out: boolean;
  names: string[];
}

export function parseClasses(value: string): Classes {
  const out = value.startsWith('-');
  const names = value.split(',').map((name) => (out ? name.slice(1) : name));
  return { out, names: value === '' ? [] : names };
}

export function formatClasses({ out, names }: Classes): string {
  return names.map((name) => (out ? `-${name}` : name)).join(',');
}

/** What a click on a class makes of the filter: only it, with others, not any more; the last one that was asked for is left out. */
export function clickClass(value: string, name: string): string {
  const { out, names } = parseClasses(value);
  if (!names.includes(name)) return formatClasses({ out, names: [...names, name] });
  if (!out && names.length === 1) return `-${name}`;
  return formatClasses({ out, names: names.filter((other) => other !== name) });
}
