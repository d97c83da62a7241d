// One question of a page, its answer, and what to show meanwhile. Answers are kept for a short while, so that
// going back is immediate; an answer that is shown stays until the newer one is there.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { Fault, get } from './client';

export interface Resource<T> {
  data: T | undefined;
  fault: Fault | undefined;
  /** Asking; `data` may hold the answer to the question before. */
  busy: boolean;
  retry: () => void;
}

const KEPT_MAX = 60;
/** An answer older than this is shown, and asked for again behind it, ms. */
const FRESH = 30_000;
const kept = new Map<string, { value: unknown; at: number }>();
const stale = new Set<() => void>();

function keep(address: string, value: unknown): void {
  kept.delete(address);
  kept.set(address, { value, at: Date.now() });
  const oldest = kept.keys().next();
  if (kept.size > KEPT_MAX && !oldest.done) kept.delete(oldest.value);
}

/** Forget answers whose address contains `part`, and ask again where one of them is on the screen. */
export function invalidate(part: string): void {
  for (const address of kept.keys()) if (address.includes(part)) kept.delete(address);
  for (const refresh of stale) refresh();
}

export function forgetAll(): void {
  kept.clear();
}

/** `address` of null: nothing to ask yet. */
export function useResource<T>(address: string | null): Resource<T> {
  const [state, setState] = useState<{ address: string | null; data?: T; fault?: Fault }>({ address: null });
  const [round, setRound] = useState(0);
  const shown = useRef<T>();

  useEffect(() => {
    const refresh = () => {
      if (address && !kept.has(address)) setRound((n) => n + 1);
    };
    stale.add(refresh);
    return () => void stale.delete(refresh);
  }, [address]);

  useEffect(() => {
    if (address === null) return;
    const known = kept.get(address);
    if (known) {
      shown.current = known.value as T;
      setState({ address, data: shown.current });
      if (Date.now() - known.at < FRESH) return;
    }
    const leaving = new AbortController();
    get<T>(address, leaving.signal)
      .then((data) => {
        keep(address, data);
        shown.current = data;
        setState({ address, data });
      })
      .catch((error: unknown) => {
        if (leaving.signal.aborted) return;
        const fault = error instanceof Fault ? error : new Fault(0, String(error));
        setState({ address, fault });
      });
    return () => leaving.abort();
  }, [address, round]);

  const retry = useCallback(() => {
    setState((old) => ({ address: null, ...(old.data === undefined ? {} : { data: old.data }) }));
    setRound((n) => n + 1);
  }, []);
  const busy = address !== null && state.address !== address;
  return {
    data: state.fault && !busy ? undefined : (state.data ?? (busy ? shown.current : undefined)),
    fault: busy ? undefined : state.fault,
    busy,
    retry,
  };
}
