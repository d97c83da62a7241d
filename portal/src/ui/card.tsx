import type { ComponentChildren } from 'preact';
import { Icon } from './icon';

interface CardProps {
  title?: string;
  note?: ComponentChildren;
  /** Address of the same data as CSV. */
  csv?: string;
  tools?: ComponentChildren;
  foot?: ComponentChildren;
  class?: string;
  /** The content goes to the edges: tables. */
  flush?: boolean;
  children: ComponentChildren;
}

export function Card({ title, note, csv, tools, foot, flush, children, ...rest }: CardProps) {
  return (
    <section class={`card ${rest.class ?? ''}`} aria-label={title}>
      {title && (
        <header class="card-head">
          <h2>{title}</h2>
          <div class="card-tools">
            {tools}
            {csv && <CsvLink href={csv} what={title} />}
          </div>
          {note && <p>{note}</p>}
        </header>
      )}
      <div class={flush ? 'card-flush' : 'card-body'}>{children}</div>
      {foot && <footer class="card-foot">{foot}</footer>}
    </section>
  );
}

export function CsvLink({ href, what }: { href: string; what: string }) {
  return (
    <a class="button button-small csv" href={href} download="" aria-label={`${what} as CSV`}>
      <Icon name="download" size={14} />
      CSV
    </a>
  );
}
