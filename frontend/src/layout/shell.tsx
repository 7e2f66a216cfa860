/** The frame around every page: top bar, banner, navigation, one side panel. */
import AppLayoutToolbar from '@cloudscape-design/components/app-layout-toolbar';
import BreadcrumbGroup from '@cloudscape-design/components/breadcrumb-group';
import type { FlashbarProps } from '@cloudscape-design/components/flashbar';
import { useQuery } from '@tanstack/react-query';
import { useCallback, useRef, useState, type ReactNode } from 'react';
import { useLocation } from 'react-router';
import { globalConfiguration } from '../api/configuration';
import type { SystemBanner as SystemBannerSettings } from '../api/types';
import { ErrorBoundary } from './error-boundary';
import { Navigation } from './navigation';
import { NoticeBar } from './notices';
import { CrumbsContext, type Crumb } from './page';
import { PanelContext, type PanelContent } from './panel';
import { TopBar } from './top-bar';
import { useMedia } from './use-media';

const NAVIGATION_KEY = 'lisa.navigation';
const NARROW = '(max-width: 688px)'; // where Cloudscape lets the navigation cover the page
const HOUR_MS = 3_600_000;

export function Shell({ children }: { children: ReactNode }) {
  const location = useLocation();
  const main = useRef<HTMLDivElement>(null);
  const narrow = useMedia(NARROW);
  const [wideOpen, setWideOpen] = useState(() => localStorage.getItem(NAVIGATION_KEY) !== 'closed');
  const [openOn, setOpenOn] = useState<string | null>(null); // where the navigation covers the page, until it leads elsewhere
  const open = narrow ? openOn === location.key : wideOpen;
  const [shown, setShown] = useState<{ on: string; content: PanelContent } | null>(null);
  const [crumbs, setCrumbs] = useState<Crumb[]>([]);
  const isChat = location.pathname.startsWith('/chat');
  const panel = shown?.on === location.pathname ? shown.content : null;
  const configuration = useQuery({ queryKey: ['configuration'], queryFn: globalConfiguration, staleTime: HOUR_MS });
  const [announced, setAnnounced] = useState(true);

  const toggle = (next: boolean) => {
    if (narrow) {
      setOpenOn(next ? location.key : null);
      return;
    }
    setWideOpen(next);
    localStorage.setItem(NAVIGATION_KEY, next ? 'open' : 'closed');
  };
  const announcement = configuration.data?.announcement;
  const first: FlashbarProps.MessageDefinition[] =
    announcement?.isEnabled && announced
      ? [{ type: 'info', content: announcement.message, dismissible: true, dismissLabel: 'Dismiss', statusIconAriaLabel: 'Information', onDismiss: () => setAnnounced(false), id: 'announcement' }]
      : [];
  const show = useCallback(
    (content: PanelContent | null) => setShown(content && { on: location.pathname, content }),
    [location.pathname],
  );

  return (
    <PanelContext value={show}>
      <a
        className="skip-link"
        href="#main"
        onClick={(event) => {
          event.preventDefault(); // the hash belongs to the router
          main.current?.focus();
        }}
      >
        Skip to content
      </a>
      <div id="top">
        <SystemBanner banner={configuration.data?.systemBanner} />
        <TopBar />
      </div>
      <AppLayoutToolbar
        headerSelector="#top"
        breadcrumbs={<BreadcrumbGroup ariaLabel="Where you are" items={[{ text: 'LISA', href: '#/' }, ...crumbs]} />}
        navigation={<Navigation />}
        navigationOpen={open}
        navigationWidth={290}
        onNavigationChange={({ detail }) => toggle(detail.open)}
        toolsHide
        maxContentWidth={isChat ? Number.MAX_VALUE : 1280}
        disableContentPaddings={isChat}
        notifications={<NoticeBar first={first} />}
        stickyNotifications
        drawers={
          panel
            ? [
                {
                  id: 'panel',
                  content: panel.content,
                  resizable: true,
                  defaultSize: 420,
                  ariaLabels: { drawerName: panel.title, closeButton: 'Close', resizeHandle: 'Resize' },
                },
              ]
            : []
        }
        activeDrawerId={panel ? 'panel' : null}
        onDrawerChange={({ detail }) => detail.activeDrawerId === null && show(null)}
        ariaLabels={{
          navigation: 'Chats and pages',
          navigationClose: 'Close navigation',
          navigationToggle: 'Open navigation',
          notifications: 'Messages',
          tools: 'Details',
          toolsClose: 'Close details',
          toolsToggle: 'Open details',
        }}
        content={
          <div id="main" ref={main} tabIndex={-1} className="main">
            <CrumbsContext value={setCrumbs}>
              <ErrorBoundary key={location.pathname}>{children}</ErrorBoundary>
            </CrumbsContext>
          </div>
        }
      />
    </PanelContext>
  );
}

function SystemBanner({ banner }: { banner?: SystemBannerSettings }) {
  if (!banner?.isEnabled || !banner.text) return null;
  return (
    <aside className="system-banner" aria-label="Notice of this system" style={{ color: banner.textColor, backgroundColor: banner.backgroundColor }}>
      {banner.text}
    </aside>
  );
}
