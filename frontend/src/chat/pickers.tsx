/** Model, repository and collection of a chat. */
import Select, { type SelectProps } from '@cloudscape-design/components/select';
import type { ChatSettings } from './conversation';
import { remember, rememberModel } from './preferences';
import type { Choices } from './use-choices';

const PLAIN = '';

export function Pickers({ choices, settings, onChange }: { choices: Choices; settings: ChatSettings; onChange: (settings: ChatSettings) => void }) {
  const models: SelectProps.Option[] = choices.models.map((model) => ({
    value: model.modelId,
    label: model.modelId,
    description: model.modelDescription ?? undefined,
  }));
  const repositories: SelectProps.Option[] = [
    { value: PLAIN, label: 'No documents', description: 'The model answers from what it knows' },
    ...choices.repositories.map((repository) => ({
      value: repository.repositoryId,
      label: repository.repositoryName || repository.repositoryId,
      description: repository.description ?? undefined,
    })),
  ];
  const collections: SelectProps.Option[] = choices.collections.map((collection) => ({
    value: collection.collectionId,
    label: collection.default ? 'Default collection' : collection.name,
    description: collection.description ?? undefined,
  }));
  const { settings: effective } = choices;
  const chosen = (options: SelectProps.Option[], value: string | undefined) => options.find((option) => option.value === value) ?? null;
  const collectionId = effective.collection?.collectionId ?? choices.collections.find((each) => each.default)?.collectionId;

  const chooseModel = (modelId: string) => {
    rememberModel(effective.repositoryId !== undefined, modelId);
    onChange({ ...settings, modelId });
  };
  const chooseRepository = (repositoryId: string) => {
    const next = repositoryId === PLAIN ? undefined : repositoryId;
    remember({ repositoryId: next, collection: undefined });
    onChange({ topK: settings.topK, ...(next ? { repositoryId: next } : {}) }); // the model goes back to what suits grounded or plain chat
  };
  const chooseCollection = (option: SelectProps.Option) => {
    const collection = { collectionId: option.value ?? '', name: option.label ?? '' };
    remember({ repositoryId: effective.repositoryId, collection });
    onChange({ ...settings, collection });
  };

  return (
    <div className="pickers">
      <Select
        inlineLabelText="Model"
        expandToViewport
        options={models}
        selectedOption={chosen(models, effective.modelId)}
        statusType={choices.isLoading ? 'loading' : 'finished'}
        placeholder="Choose a model"
        empty="No model is in service"
        filteringType={models.length > 8 ? 'auto' : 'none'}
        onChange={({ detail }) => chooseModel(detail.selectedOption.value ?? '')}
      />
      <Select
        inlineLabelText="Documents"
        expandToViewport
        options={repositories}
        selectedOption={chosen(repositories, effective.repositoryId ?? PLAIN)}
        statusType={choices.isLoading ? 'loading' : 'finished'}
        filteringType={repositories.length > 8 ? 'auto' : 'none'}
        onChange={({ detail }) => chooseRepository(detail.selectedOption.value ?? PLAIN)}
      />
      {choices.repository && collections.length > 1 && (
        <Select
          inlineLabelText="Collection"
          expandToViewport
          options={collections}
          selectedOption={chosen(collections, collectionId)}
          filteringType={collections.length > 8 ? 'auto' : 'none'}
          onChange={({ detail }) => chooseCollection(detail.selectedOption)}
        />
      )}
    </div>
  );
}
