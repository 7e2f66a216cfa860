/** The frame of an ordinary page: title of the tab, breadcrumbs, heading. */
import BreadcrumbGroup from '@cloudscape-design/components/breadcrumb-group';
import ContentLayout from '@cloudscape-design/components/content-layout';
import Header from '@cloudscape-design/components/header';
import { useEffect, type ReactNode } from 'react';

export interface Crumb {
  text: string;
  href: string;
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title === 'LISA' ? title : `${title} · LISA`;
  }, [title]);
}

interface Props {
  title: string;
  description?: ReactNode;
  crumbs?: Crumb[];
  actions?: ReactNode;
  children: ReactNode;
}

export function Page({ title, description, crumbs = [], actions, children }: Props) {
  useTitle(title);
  return (
    <ContentLayout
      breadcrumbs={<Crumbs items={[...crumbs, { text: title, href: '' }]} />}
      header={
        <Header variant="h1" description={description} actions={actions}>
          {title}
        </Header>
      }
    >
      {children}
    </ContentLayout>
  );
}

/** The toolbar of the page takes these up wherever they stand. */
export function Crumbs({ items }: { items: Crumb[] }) {
  return <BreadcrumbGroup ariaLabel="Where you are" items={[{ text: 'LISA', href: '#/' }, ...items]} />;
}
