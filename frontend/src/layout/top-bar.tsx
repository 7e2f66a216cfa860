import TopNavigation from '@cloudscape-design/components/top-navigation';
import { useServices } from '../services';
import { chooseTheme, useTheme, type Theme } from '../theme/theme';

const LOGO =
  'data:image/svg+xml,' +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#0972d3"/><path d="M8 8.500A2.500 2.500 0 0 1 10.500 6h11A2.500 2.500 0 0 1 24 8.500v9a2.500 2.500 0 0 1-2.500 2.500H15l-5 5v-5.050A2.500 2.500 0 0 1 8 17.500z" fill="#fff"/><path d="M12 11h8M12 15h5" stroke="#0972d3" stroke-width="2" stroke-linecap="round"/></svg>',
  );

const THEMES: { id: Theme; text: string }[] = [
  { id: 'light', text: 'Light' },
  { id: 'dark', text: 'Dark' },
  { id: 'system', text: 'As the system' },
];

export function TopBar() {
  const { person, signOut } = useServices();
  const theme = useTheme();
  return (
    <TopNavigation
      identity={{ href: '#/chat', title: 'LISA', logo: { src: LOGO, alt: '' } }}
      utilities={[
        {
          type: 'menu-dropdown',
          iconName: 'settings',
          ariaLabel: 'Theme',
          title: 'Theme',
          text: '',
          items: THEMES.map(({ id, text }) => ({ id, text, itemType: 'checkbox' as const, checked: id === theme })),
          onItemClick: ({ detail }) => chooseTheme(detail.id as Theme),
        },
        {
          type: 'menu-dropdown',
          iconName: 'user-profile',
          text: person.displayName,
          ariaLabel: `Signed in as ${person.displayName}`,
          description: person.isAdmin ? 'Administrator' : undefined,
          items: [{ id: 'sign-out', text: 'Sign out' }],
          onItemClick: ({ detail }) => detail.id === 'sign-out' && signOut(),
        },
      ]}
    />
  );
}
