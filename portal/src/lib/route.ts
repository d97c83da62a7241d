// Where the person is, kept after the # of the address: #/ports/tcp/3389?range=24h. What is looked for
// stays out of the server's and every proxy's logs that way, and any static server can serve the page.
import { useEffect, useState } from 'preact/hooks';

export interface Route {
  /** Decoded parts of the path: ["ports", "tcp", "3389"]; none for the overview. */
  path: string[];
  query: URLSearchParams;
}

/** Parameters that follow the person from page to page. */
const STICKY = ['range', 'from', 'to'];

export function parseRoute(hash: string): Route {
  const text = hash.replace(/^#?\/?/, '');
  const mark = text.indexOf('?');
  const path = mark < 0 ? text : text.slice(0, mark);
  return {
    path: path.split('/').filter(Boolean).map(decode),
    query: new URLSearchParams(mark < 0 ? '' : text.slice(mark + 1)),
  };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function formatRoute(route: Route): string {
  const path = route.path.map(encodeURIComponent).join('/').replace(/%3A/g, ':');
  const query = route.query.toString().replace(/%3A/g, ':').replace(/%2C/g, ',');
  return `#/${path}${query ? `?${query}` : ''}`;
}

export type Change = Record<string, string | number | null | undefined>;

/** The query with some parameters set, or removed where the value is null or empty. */
export function withQuery(query: URLSearchParams, change: Change): URLSearchParams {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(change)) {
    if (value === null || value === undefined || value === '') next.delete(name);
    else next.set(name, String(value));
  }
  return next;
}

/** The address of a page; the time range of the current one comes along unless it is set. */
export function href(path: string[], change: Change = {}, from = current().query): string {
  const kept = new URLSearchParams();
  const own = 'range' in change || 'from' in change;
  for (const name of own ? [] : STICKY) {
    const value = from.get(name);
    if (value) kept.set(name, value);
  }
  return formatRoute({ path, query: withQuery(kept, change) });
}

export function current(): Route {
  return parseRoute(typeof location === 'undefined' ? '' : location.hash);
}

export function go(target: string, replace = false): void {
  if (replace) {
    history.replaceState(null, '', target);
    dispatchEvent(new HashChangeEvent('hashchange'));
  } else {
    location.hash = target;
  }
}

/** Change parameters of the page that is open. */
export function setQuery(change: Change, replace = false): void {
  const route = current();
  go(formatRoute({ path: route.path, query: withQuery(route.query, change) }), replace);
}

export function useRoute(): Route {
  const [route, setRoute] = useState(current);
  useEffect(() => {
    const update = () => setRoute((old) => (formatRoute(old) === formatRoute(current()) ? old : current()));
    addEventListener('hashchange', update);
    update(); // the address may have changed between the first drawing and this
    return () => removeEventListener('hashchange', update);
  }, []);
  return route;
}
