/** The left pane: a new chat, the pages a person may use, the chats of before. */
import Button from '@cloudscape-design/components/button';
import SideNavigation, { type SideNavigationProps } from '@cloudscape-design/components/side-navigation';
import { useLocation } from 'react-router';
import { SessionList } from '../chat/session-list';
import { useServices } from '../services';

export function Navigation() {
  const { person } = useServices();
  const { pathname } = useLocation();
  const items: SideNavigationProps.Item[] = [
    { type: 'link', text: 'Documents', href: '#/documents' },
    { type: 'link', text: 'Models', href: '#/models' },
    ...(person.isRagAdmin ? [{ type: 'link' as const, text: 'Repositories', href: '#/repositories' }] : []),
    { type: 'link', text: 'API tokens', href: '#/api-tokens' },
    { type: 'link', text: 'My usage', href: '#/my-usage' },
    ...(person.isAdmin ? [{ type: 'link' as const, text: 'Usage', href: '#/usage' }] : []),
  ];
  return (
    <div className="navigation">
      <div className="navigation-new">
        <Button iconName="add-plus" href="#/chat" fullWidth>
          New chat
        </Button>
      </div>
      <SideNavigation items={items} activeHref={`#/${pathname.split('/')[1] ?? ''}`} />
      <SessionList />
    </div>
  );
}
