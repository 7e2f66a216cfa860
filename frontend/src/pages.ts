/** Most pages but the chat, as one file: each file of the page is a request, and in AWS a function's invocation. */
export { default as DocumentsPage } from './documents/documents-page';
export { default as NotFoundPage } from './layout/not-found-page';
export { default as ModelsPage } from './models/models-page';
export { default as RepositoriesPage } from './repositories/repositories-page';
export { default as RepositoryPage } from './repositories/repository-page';
export { default as TokensPage } from './tokens/tokens-page';
