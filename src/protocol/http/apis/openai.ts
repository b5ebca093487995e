/**
 * Owns calls to the OpenAI API, and to Azure's form of it, by the operation ids of OpenAI's own OpenAPI document.
 * Must never call anything a read that is not listed or sent as one.
 */

import type { ActionFacts } from '../../../core/facts.ts';
import { accessOfMethod } from '../method.ts';
import { type ApiRequest, action } from './recogniser.ts';
import { matchRoute, routeTable } from './routes.ts';

const ROUTES = routeTable(`
  POST /responses createResponse - inference
  GET /responses/{id} getResponse
  DELETE /responses/{id} deleteResponse - delete
  POST /responses/{id}/cancel cancelResponse
  GET /responses/{id}/input_items listInputItems
  POST /chat/completions createChatCompletion - inference
  GET /chat/completions listChatCompletions
  GET /chat/completions/{id} getChatCompletion
  DELETE /chat/completions/{id} deleteChatCompletion - delete
  POST /completions createCompletion - inference
  POST /embeddings createEmbedding - inference
  POST /moderations createModeration - inference
  POST /images/generations createImage - inference
  POST /images/edits createImageEdit - inference
  POST /images/variations createImageVariation - inference
  POST /audio/speech createSpeech - inference
  POST /audio/transcriptions createTranscription - inference
  POST /audio/translations createTranslation - inference
  POST /realtime/client_secrets create-realtime-client-secret - credential
  POST /conversations createConversation
  GET /conversations/{id} getConversation
  POST /conversations/{id} updateConversation
  DELETE /conversations/{id} deleteConversation - delete
  GET /models listModels
  GET /models/{model} retrieveModel
  DELETE /models/{model} deleteModel - delete
  GET /files listFiles
  POST /files createFile - upload
  GET /files/{id} retrieveFile
  DELETE /files/{id} deleteFile - delete
  GET /files/{id}/content downloadFile
  POST /uploads createUpload - upload
  POST /uploads/{id}/parts addUploadPart - upload
  POST /uploads/{id}/complete completeUpload - upload
  POST /uploads/{id}/cancel cancelUpload
  POST /fine_tuning/jobs createFineTuningJob - fine_tuning
  GET /fine_tuning/jobs listPaginatedFineTuningJobs
  GET /fine_tuning/jobs/{id} retrieveFineTuningJob
  POST /fine_tuning/jobs/{id}/cancel cancelFineTuningJob - fine_tuning
  POST /fine_tuning/jobs/{id}/pause pauseFineTuningJob - fine_tuning
  POST /fine_tuning/jobs/{id}/resume resumeFineTuningJob - fine_tuning
  GET /fine_tuning/jobs/{id}/events listFineTuningEvents
  GET /fine_tuning/jobs/{id}/checkpoints listFineTuningJobCheckpoints
  GET /fine_tuning/checkpoints/{id}/permissions listFineTuningCheckpointPermissions
  POST /fine_tuning/checkpoints/{id}/permissions createFineTuningCheckpointPermission admin privilege
  DELETE /fine_tuning/checkpoints/{id}/permissions/{permission} deleteFineTuningCheckpointPermission admin privilege delete
  POST /batches createBatch - inference bulk
  GET /batches listBatches
  GET /batches/{id} retrieveBatch
  POST /batches/{id}/cancel cancelBatch
  GET /assistants listAssistants
  POST /assistants createAssistant
  GET /assistants/{id} getAssistant
  POST /assistants/{id} modifyAssistant
  DELETE /assistants/{id} deleteAssistant - delete
  POST /threads createThread
  POST /threads/runs createThreadAndRun - inference
  GET /threads/{id} getThread
  POST /threads/{id} modifyThread
  DELETE /threads/{id} deleteThread - delete
  GET /threads/{id}/messages listMessages
  POST /threads/{id}/messages createMessage
  GET /threads/{id}/runs listRuns
  POST /threads/{id}/runs createRun - inference
  GET /threads/{id}/runs/{run} getRun
  GET /vector_stores listVectorStores
  POST /vector_stores createVectorStore
  GET /vector_stores/{id} getVectorStore
  POST /vector_stores/{id} modifyVectorStore
  DELETE /vector_stores/{id} deleteVectorStore - delete
  POST /vector_stores/{id}/search searchVectorStore read
  GET /vector_stores/{id}/files listVectorStoreFiles
  POST /vector_stores/{id}/files createVectorStoreFile - upload
  DELETE /vector_stores/{id}/files/{file} deleteVectorStoreFile - delete
  GET /evals listEvals
  POST /evals createEval
  GET /evals/{id} getEval
  DELETE /evals/{id} deleteEval - delete
  GET /organization/admin_api_keys admin-api-keys-list admin
  POST /organization/admin_api_keys admin-api-keys-create admin credential privilege
  DELETE /organization/admin_api_keys/{id} admin-api-keys-delete admin credential delete
  GET /organization/audit_logs list-audit-logs
  GET /organization/users list-users
  POST /organization/users/{id} modify-user admin privilege
  DELETE /organization/users/{id} delete-user admin privilege delete
  POST /organization/invites inviteUser admin privilege
  GET /organization/projects list-projects
  POST /organization/projects create-project admin
  POST /organization/projects/{id} modify-project admin
  POST /organization/projects/{id}/archive archive-project admin delete
  POST /organization/projects/{id}/users create-project-user admin privilege
  POST /organization/projects/{id}/service_accounts create-project-service-account admin credential privilege
  DELETE /organization/projects/{id}/api_keys/{key} delete-project-api-key admin credential delete
`);

export function recogniseOpenai(request: ApiRequest): ActionFacts | null {
  const path = apiPath(request);
  if (!path) return null;
  const route = matchRoute(ROUTES, request.method, path);
  if (route) {
    return action('openai', route.access ?? accessOfMethod(request.method), {
      operation: route.operation,
      tags: [...route.tags],
    });
  }
  const access = accessOfMethod(request.method);
  if (path[0] === 'organization') return action('openai', 'admin');
  return action('openai', access === 'read' ? 'read' : 'unknown', {
    tags: request.method === 'DELETE' ? ['delete'] : [],
  });
}

/** The path below the version; null where this is not OpenAI's API. */
function apiPath({ host, segments }: ApiRequest): readonly string[] | null {
  if (host === 'api.openai.com' || /^(?:eu|us)\.api\.openai\.com$/.test(host)) {
    return segments[0] === 'v1' ? segments.slice(1) : segments;
  }
  if (
    !/\.(?:openai\.azure\.com|cognitiveservices\.azure\.com|services\.ai\.azure\.com)$/.test(host) ||
    segments[0] !== 'openai'
  ) {
    return null;
  }
  if (segments[1] === 'v1') return segments.slice(2);
  return segments[1] === 'deployments' ? segments.slice(3) : segments.slice(1);
}
