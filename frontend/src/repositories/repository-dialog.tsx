import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { listModels } from '../api/models';
import { createRepository } from '../api/repositories';
import { FormModal } from '../layout/form-modal';
import { GroupsField, groupsIn } from '../layout/groups-field';

const REPOSITORY_ID = /^[a-z0-9][a-z0-9_-]{2,19}$/;

export function RepositoryDialog({ onDone, onClose }: { onDone: () => Promise<unknown>; onClose: () => void }) {
  const models = useQuery({ queryKey: ['models'], queryFn: ({ signal }) => listModels(signal) });
  const options = (models.data ?? [])
    .filter((model) => model.modelType === 'embedding' && model.status === 'InService')
    .map((model) => ({ value: model.modelId, label: model.modelId, description: model.modelDescription ?? undefined }));
  const [id, setId] = useState('');
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const [chosen, setChosen] = useState<string>();
  const [groups, setGroups] = useState('');
  const [checked, setChecked] = useState(false);
  const embeddingModelId = chosen ?? options[0]?.value;
  const idError = REPOSITORY_ID.test(id) ? '' : 'Use 3 to 20 lower-case letters, digits, - and _, beginning with a letter or digit.';
  const submit = async () => {
    setChecked(true);
    if (idError || !embeddingModelId) return false;
    await createRepository({
      repositoryId: id,
      embeddingModelId,
      type: 'pgvector',
      allowedGroups: groupsIn(groups),
      ...(name.trim() ? { repositoryName: name.trim() } : {}),
      ...(description.trim() ? { description: description.trim() } : {}),
    });
    await onDone();
    return true;
  };
  return (
    <FormModal title="Create a repository" submitText="Create repository" onSubmit={submit} onClose={onClose}>
      <FormField label="Repository id" description="Also its folder in the documents bucket. It cannot be changed." errorText={checked && idError}>
        <Input autoFocus value={id} placeholder="handbooks" onChange={({ detail }) => setId(detail.value.trim())} />
      </FormField>
      <FormField
        label={
          <>
            Name <i>- optional</i>
          </>
        }
      >
        <Input value={name} placeholder="Handbooks" onChange={({ detail }) => setName(detail.value.slice(0, 100))} />
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
      <FormField
        label="Embedding model"
        description="Turns passages into vectors. Documents are stored with it in PostgreSQL (pgvector)."
        errorText={checked && !embeddingModelId && 'Choose an embedding model. If there is none, add one under Models.'}
      >
        <Select
          options={options}
          selectedOption={options.find((option) => option.value === embeddingModelId) ?? null}
          statusType={models.isPending ? 'loading' : 'finished'}
          placeholder="Choose a model"
          empty="No embedding model is in service"
          onChange={({ detail }) => setChosen(detail.selectedOption.value)}
        />
      </FormField>
      <GroupsField value={groups} onChange={setGroups} />
    </FormModal>
  );
}
