// Keys that work everywhere. Nothing is taken from someone who types into a field.
import { useEffect } from 'preact/hooks';
import { go, href } from './route';
import { setTheme, theme } from './theme';

const PLACES: Record<string, string[]> = {
  o: [],
  a: ['alerts'],
  p: ['ports'],
  s: ['sources'],
  n: ['screened'],
  t: ['sites'],
  f: ['fleet'],
  v: ['victims'],
};

/** How long after "g" the second key may come, ms. */
const PATIENCE = 1200;

export function typing(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement | null;
  if (event.ctrlKey || event.metaKey || event.altKey) return true;
  return !!target?.closest('input, select, textarea, [contenteditable], dialog');
}

export function useGlobalKeys(showHelp: () => void): void {
  useEffect(() => {
    let went = 0;
    const press = (event: KeyboardEvent) => {
      if (typing(event)) return;
      const place = PLACES[event.key];
      if (place && event.timeStamp - went < PATIENCE) {
        went = 0;
        event.preventDefault();
        event.stopImmediatePropagation();
        return go(href(place));
      }
      went = event.key === 'g' ? event.timeStamp : 0;
      if (event.key === '?') showHelp();
      if (event.key === 't') setTheme(theme() === 'dark' ? 'light' : 'dark');
      if (event.key === '/') {
        const first = document.querySelector<HTMLElement>('.filters input, .filters select');
        if (first) event.preventDefault();
        first?.focus();
      }
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, [showHelp]);
}
