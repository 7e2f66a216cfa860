import ColumnLayout from '@cloudscape-design/components/column-layout';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { createCollection } from '../api/repositories';
import { FormModal } from '../layout/form-modal';
import { GroupsField, groupsIn } from '../layout/groups-field';

const NAME = /^[A-Za-z0-9 _-]{1,100}$/;
const SIZE = { least: 100, most: 10_000, usual: 512, overlap: 51 };

export function CollectionDialog({ repositoryId, onDone, onClose }: { repositoryId: string; onDone: () => Promise<unknown>; onClose: () => void }) {
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const [size, setSize] = useState(String(SIZE.usual));
  const [overlap, setOverlap] = useState(String(SIZE.overlap));
  const [groups, setGroups] = useState('');
  const [checked, setChecked] = useState(false);
  const nameError = NAME.test(name.trim()) ? '' : 'Use letters, digits, spaces, - and _ (at most 100).';
  const sizeError = Number(size) >= SIZE.least && Number(size) <= SIZE.most ? '' : `Between ${SIZE.least} and ${SIZE.most} characters.`;
  const overlapError = Number(overlap) >= 0 && Number(overlap) <= Number(size) / 2 ? '' : 'At most half of the size.';
  const submit = async () => {
    setChecked(true);
    if (nameError || sizeError || overlapError) return false;
    await createCollection(repositoryId, {
      name: name.trim(),
      chunkingStrategy: { type: 'fixed', size: Number(size), overlap: Number(overlap) },
      allowedGroups: groupsIn(groups),
      ...(description.trim() ? { description: description.trim() } : {}),
    });
    await onDone();
    return true;
  };
  return (
    <FormModal title="Create a collection" submitText="Create collection" onSubmit={submit} onClose={onClose}>
      <FormField label="Name" errorText={checked && nameError}>
        <Input autoFocus value={name} onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <FormField
        label={
          <>
            Description <i>- optional</i>
          </>
        }
      >
        <Textarea value={description} rows={2} onChange={({ detail }) => setDescription(detail.value)} />
      </FormField>
      <ColumnLayout columns={2}>
        <FormField label="Passage size" description="In characters." errorText={checked && sizeError}>
          <Input type="number" inputMode="numeric" value={size} onChange={({ detail }) => setSize(detail.value)} />
        </FormField>
        <FormField label="Overlap" description="In characters." errorText={checked && overlapError}>
          <Input type="number" inputMode="numeric" value={overlap} onChange={({ detail }) => setOverlap(detail.value)} />
        </FormField>
      </ColumnLayout>
      <GroupsField value={groups} onChange={setGroups} />
    </FormModal>
  );
}
