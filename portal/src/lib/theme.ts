// Dark or light: the system's choice until the person makes one; paper is always light.
import { useEffect, useState } from 'preact/hooks';

export type Theme = 'light' | 'dark';

const KEPT = 'kizashi.theme';
const dark = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

export function theme(): Theme {
  return document.documentElement.dataset.theme === 'dark' ? 'dark' : 'light';
}

function preferred(): Theme {
  const chosen = localStorage.getItem(KEPT);
  if (chosen === 'light' || chosen === 'dark') return chosen;
  return dark.matches ? 'dark' : 'light';
}

function apply(next: Theme): void {
  document.documentElement.dataset.theme = next;
  for (const listener of listeners) listener();
}

export function setTheme(next: Theme): void {
  localStorage.setItem(KEPT, next);
  apply(next);
}

dark.addEventListener('change', () => apply(preferred()));
addEventListener('beforeprint', () => apply('light'));
addEventListener('afterprint', () => apply(preferred()));

/** Called at once when the theme changes: charts on canvas draw again before a page is printed. */
export function onTheme(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export function useTheme(): Theme {
  const [now, setNow] = useState(theme);
  useEffect(() => onTheme(() => setNow(theme())), []);
  return now;
}

/** The value of a token of tokens.css. */
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Lines of a chart, told apart by people with colour-blindness too; "other" is always grey. */
export const LINE_TOKENS = ['c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'c8'];

export function lineToken(key: string, index: number): string {
  return key === 'other' ? 'c-other' : (LINE_TOKENS[index % LINE_TOKENS.length] ?? 'c1');
}
