/** The frame of an ordinary page: title of the tab, breadcrumbs, heading. */
import ContentLayout from '@cloudscape-design/components/content-layout';
import Header from '@cloudscape-design/components/header';
import { createContext, useContext, useEffect, type ReactNode } from 'react';

export interface Crumb {
  text: string;
  href: string;
}

/** Tells the toolbar where this page is. */
export const CrumbsContext = createContext<(crumbs: Crumb[]) => void>(() => undefined);

function useCrumbs(crumbs: Crumb[]): void {
  const tell = useContext(CrumbsContext);
  const key = JSON.stringify(crumbs);
  useEffect(() => tell(JSON.parse(key) as Crumb[]), [tell, key]);
}

/** The title in the browser's tab and at the end of the breadcrumbs. */
export function usePlace(title: string, crumbs: Crumb[] = []): void {
  useTitle(title);
  useCrumbs([...crumbs, { text: title, href: '' }]);
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
  usePlace(title, crumbs);
  return (
    <ContentLayout
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
