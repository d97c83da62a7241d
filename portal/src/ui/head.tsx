import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';

interface HeadProps {
  title: string;
  text?: ComponentChildren;
  back?: { href: string; label: string };
  children?: ComponentChildren;
}

/** The top of a page: what it is, and its time range at the right. */
export function Head({ title, text, back, children }: HeadProps) {
  useEffect(() => {
    document.title = `${title} · kizashi`;
  }, [title]);
  return (
    <header class="head">
      <div class="head-text">
        {back && (
          <a class="crumb" href={back.href}>
            ← {back.label}
          </a>
        )}
        <h1 tabIndex={-1}>{title}</h1>
        {text && <p>{text}</p>}
      </div>
      {children}
    </header>
  );
}
