import { useEffect, useState } from 'preact/hooks';
import { Empty, Loading } from '../ui/state';
import type { MapValue } from './world-map';

type MapComponent = typeof import('./world-map').default;

/** The map's shapes are a file of their own, fetched when a map is first shown. */
export function LazyMap(props: { values: MapValue[]; unit: string; onPick: (country: string) => void }) {
  const [Map, setMap] = useState<{ component: MapComponent }>();
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    import('./world-map').then((m) => setMap({ component: m.default })).catch(() => setFailed(true));
  }, []);
  if (failed) return <Empty title="The map could not be loaded">Reload the page; the tables have the same figures.</Empty>;
  if (!Map) return <Loading height={320} />;
  return <Map.component {...props} />;
}
