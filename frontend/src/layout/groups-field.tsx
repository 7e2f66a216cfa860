/** Groups that may use something: written with commas, nobody named means everybody. */
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import { Optional } from './optional';

export const groupsIn = (text: string): string[] => [...new Set(text.split(',').map((group) => group.trim()).filter(Boolean))];

export function GroupsField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  return (
    <FormField
      label={<Optional>Groups</Optional>}
      description="Who may use it, separated by commas. Empty: everybody who is signed in."
    >
      <Input value={value} placeholder="research, legal" onChange={({ detail }) => onChange(detail.value)} />
    </FormField>
  );
}

export const groupsText = (groups?: string[] | null): string => (groups && groups.length > 0 ? groups.join(', ') : 'Everybody');
