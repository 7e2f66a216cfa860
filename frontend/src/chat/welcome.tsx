/** An empty chat: what can be done here. */
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import type { Repository } from '../api/types';
import { Logo } from '../layout/logo';

const GROUNDED = ['Summarise the main points of the documents.', 'What do the documents say about costs?', 'Which open questions do they name?'];
const PLAIN = ['Explain what a vector database is.', 'Write a Python function that reads a CSV file.', 'Draft a short message that moves a meeting.'];

export function Welcome({ name, repository, ready, onPick }: { name: string; repository?: Repository; ready: boolean; onPick: (text: string) => void }) {
  const prompts = repository ? GROUNDED : PLAIN;
  return (
    <div className="welcome">
      <Logo size={44} />
      <Box variant="h2" fontSize="heading-xl" textAlign="center">
        Hello, {name.split('@')[0]}
      </Box>
      <Box variant="p" textAlign="center" color="text-body-secondary">
        {repository
          ? `Answers come from “${repository.repositoryName || repository.repositoryId}”, with their sources. Drop files here to add to it.`
          : 'Ask a model anything. Choose a repository under “Documents”, or drop files here, to get answers with sources.'}
      </Box>
      {ready && (
        <div className="welcome-examples" role="group" aria-label="Examples">
          {prompts.map((text) => (
            <Button key={text} onClick={() => onPick(text)}>
              {text}
            </Button>
          ))}
        </div>
      )}
    </div>
  );
}
