/** What the control plane and Serve send and take. Names are as on the wire. */

export interface Problem {
  title: string;
  detail: string;
  requestId?: string;
}

export type ModelType = 'textgen' | 'imagegen' | 'videogen' | 'embedding';
export type ModelStatus = 'Creating' | 'InService' | 'Starting' | 'Stopping' | 'Stopped' | 'Updating' | 'Deleting' | 'Failed';
export type HostingType = 'third_party' | 'internal_hosted' | 'lisa_hosted';

export interface Model {
  modelId: string;
  modelName: string;
  modelType: ModelType;
  modelDescription?: string | null;
  modelUrl?: string | null;
  streaming: boolean;
  features?: { name: string; overview?: string }[] | null;
  allowedGroups?: string[] | null;
  hostingType?: HostingType;
  contextWindow?: number | null;
  status: ModelStatus;
  failureReason?: string | null;
}

export interface CreateModel {
  modelId: string;
  modelName: string;
  modelType: ModelType;
  hostingType: HostingType;
  modelDescription?: string;
  modelUrl?: string;
  apiKey?: string;
  streaming: boolean;
  allowedGroups: string[];
  contextWindow?: number;
}

export interface UpdateModel {
  enabled?: boolean;
  modelName?: string;
  modelDescription?: string | null;
  modelUrl?: string | null;
  apiKey?: string;
  streaming?: boolean;
  allowedGroups?: string[];
  contextWindow?: number | null;
}

export type RepositoryStatus =
  | 'CREATE_IN_PROGRESS'
  | 'CREATE_COMPLETE'
  | 'CREATE_FAILED'
  | 'UPDATE_IN_PROGRESS'
  | 'UPDATE_COMPLETE'
  | 'DELETE_IN_PROGRESS'
  | 'DELETE_FAILED';

export interface Repository {
  repositoryId: string;
  repositoryName?: string | null;
  description?: string | null;
  embeddingModelId?: string | null;
  type: string;
  allowedGroups?: string[] | null;
  status: RepositoryStatus;
  failureReason?: string | null;
  createdBy?: string;
  createdAt?: string;
}

export interface CreateRepository {
  repositoryId: string;
  repositoryName?: string;
  description?: string;
  embeddingModelId: string;
  type: 'pgvector';
  allowedGroups: string[];
}

export interface ChunkingStrategy {
  type: 'fixed' | 'none';
  size?: number;
  overlap?: number;
}

export interface Collection {
  collectionId: string;
  repositoryId: string;
  name: string;
  description?: string | null;
  embeddingModel?: string | null;
  chunkingStrategy?: ChunkingStrategy | null;
  allowedGroups?: string[] | null;
  status: 'ACTIVE' | 'ARCHIVED' | 'DELETE_IN_PROGRESS' | 'DELETE_FAILED' | 'DELETED';
  default?: boolean;
}

export interface CreateCollection {
  name: string;
  description?: string;
  embeddingModel?: string;
  chunkingStrategy?: ChunkingStrategy;
  allowedGroups?: string[];
}

export type DocumentStatus =
  | 'INGESTION_PENDING'
  | 'INGESTION_IN_PROGRESS'
  | 'INGESTION_COMPLETED'
  | 'INGESTION_FAILED'
  | 'DELETE_PENDING'
  | 'DELETE_IN_PROGRESS'
  | 'DELETE_COMPLETED'
  | 'DELETE_FAILED';
export type IngestionStage = 'queued' | 'parsing' | 'embedding' | 'indexing' | 'done';

export interface LibraryDocument {
  document_id: string;
  repository_id: string;
  collection_id: string;
  document_name: string;
  source: string;
  username: string;
  upload_date: number;
  chunks: number;
  status?: DocumentStatus;
  stage?: IngestionStage;
  error_message?: string | null;
}

export interface DocumentKey {
  pk: string;
  document_id: string;
  repository_id: string;
}

export interface DocumentPage {
  documents: LibraryDocument[];
  lastEvaluated?: DocumentKey | null;
  totalDocuments?: number;
  hasNextPage: boolean;
}

export interface Job {
  id: string;
  document_id: string;
  document_name: string;
  status: DocumentStatus;
  stage?: IngestionStage;
  error_message?: string | null;
}

/** What `bulk`, `retry` and a document's deletion answer per document. */
export interface StartedJob {
  jobId: string;
  documentId: string;
  status: DocumentStatus;
  s3Path: string;
}

export interface PresignedPost {
  url: string;
  fields: Record<string, string>;
}

export interface Citation {
  number: number;
  documentId: string;
  documentName: string;
  source: string;
  repositoryId: string;
  collectionId: string;
  page?: number | null;
  headings?: string[] | null;
  start?: number;
  end?: number;
  text: string;
  score?: number | null;
}

export interface SessionSummary {
  sessionId: string;
  name?: string | null;
  firstHumanMessage?: string | null;
  startTime?: string | null;
  createTime?: string | null;
  lastUpdated?: string | null;
}

export interface StoredMessage {
  type: 'human' | 'ai' | 'system' | 'tool';
  content: string | { type: string; text?: string }[];
  metadata?: Record<string, unknown> | null;
  usage?: { promptTokens?: number; completionTokens?: number; responseTime?: number } | null;
}

export interface SessionConfiguration {
  selectedModel?: { modelId: string } | null;
  ragConfig?: {
    repositoryId?: string;
    repositoryType?: string;
    embeddingModel?: { modelName: string };
    collection?: { collectionId: string; name: string };
  } | null;
  sessionConfiguration?: { ragTopK?: number; chatHistoryBufferSize?: number; streaming?: boolean } | null;
}

export interface StoredSession {
  sessionId: string;
  name?: string | null;
  history: StoredMessage[];
  configuration?: SessionConfiguration | null;
}

export interface ApiToken {
  tokenUUID: string;
  name: string;
  username: string;
  createdBy?: string;
  createdDate: number | string;
  tokenExpiration: number;
  groups: string[];
  isSystemToken: boolean;
  isExpired: boolean;
}

export interface CreatedToken {
  token: string;
  tokenUUID: string;
  name: string;
  tokenExpiration: number;
}

export interface GlobalConfiguration {
  systemBanner?: { isEnabled: boolean; text: string; textColor: string; backgroundColor: string };
  announcement?: { isEnabled: boolean; message: string };
  global?: { defaultModel?: string | null };
}
