// The three states of everything that is asked for: nothing there, not there yet, not to be had.
import type { ComponentChildren } from 'preact';
import type { Fault } from '../api/client';
import type { Resource } from '../api/resource';

export function Empty({ title, children, small }: { title: string; children?: ComponentChildren; small?: boolean }) {
  return (
    <div class={small ? 'state state-small' : 'state'}>
      <p class="title">{title}</p>
      {children && <p>{children}</p>}
    </div>
  );
}

export function Failed({ fault, retry }: { fault: Fault; retry?: () => void }) {
  return (
    <div class="state" role="alert">
      <p class="title">{fault.message}</p>
      {fault.detail && <p>{fault.detail}</p>}
      {fault.field && <p class="small muted">The value of “{fault.field}” is not accepted.</p>}
      {retry && (
        <button class="button" type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Loading({ height = 120 }: { height?: number }) {
  return (
    <div class="loading" style={{ height: `${height}px` }} role="status">
      <span class="visually-hidden">Loading</span>
    </div>
  );
}

interface AnswerProps<T> {
  of: Resource<T>;
  height?: number;
  children: (data: T) => ComponentChildren;
}

/** The answer, or the state that stands for it; an older answer stays, faded, while a newer one is asked for. */
export function Answer<T>({ of, height, children }: AnswerProps<T>) {
  if (of.fault) return <Failed fault={of.fault} retry={of.retry} />;
  if (of.data === undefined) return <Loading height={height ?? 120} />;
  return <div class={of.busy ? 'stale' : undefined} aria-busy={of.busy}>{children(of.data)}</div>;
}
