// A list that comes in pages: the first page at once, the rest when asked for.
import { useEffect, useRef, useState } from 'preact/hooks';
import { Fault, get, url, type Page, type Query } from './client';
import { useResource } from './resource';

export interface Pages<Row> {
  rows: Row[] | undefined;
  /** Of the first page: how many the list leaves out. */
  leftOut: number;
  fault: Fault | undefined;
  busy: boolean;
  retry: () => void;
  /** Fetches the next page; undefined after the last. */
  more: (() => void) | undefined;
}

export function usePages<Row>(path: string, query: Query): Pages<Row> {
  const address = url(path, query);
  const first = useResource<Page<Row>>(address);
  const [rest, setRest] = useState<{ of: unknown; rows: Row[]; next: string | null }>();
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<Fault>();
  const now = useRef(first.data);
  now.current = first.data;
  useEffect(() => setFault(undefined), [address]);

  const own = rest && rest.of === first.data ? rest : undefined;
  const next = own ? own.next : first.data?.next;
  const more = () => {
    const of = first.data;
    setBusy(true);
    get<Page<Row>>(url(path, { ...query, cursor: next }))
      .then((page) => {
        if (now.current === of) setRest({ of, rows: [...(own?.rows ?? []), ...page.rows], next: page.next });
      })
      .catch((error: unknown) => setFault(error instanceof Fault ? error : new Fault(0, String(error))))
      .finally(() => setBusy(false));
  };
  return {
    rows: first.data && [...first.data.rows, ...(own?.rows ?? [])],
    leftOut: first.data?.left_out ?? 0,
    fault: first.fault ?? fault,
    busy: first.busy || busy,
    retry: () => {
      setFault(undefined);
      first.retry();
    },
    more: next && !first.busy && !busy ? more : undefined,
  };
}
