/**
 * Owns calls to AWS: service from the signature's scope or the host, operation by the service's protocol (JSON
 * target, query Action, CBOR path, REST). Must never verify a signature.
 */

import type { ActionFacts } from '../../../core/facts.ts';
import { accessOfMethod } from '../method.ts';
import { awsMeaning } from './aws-meaning.ts';
import { s3Operation } from './aws-s3.ts';
import { type ApiRequest, action, textField } from './recogniser.ts';
import { matchRoute, routeTable } from './routes.ts';

export function recogniseAws(request: ApiRequest): ActionFacts | null {
  const hostService = serviceOfHost(request.host);
  const service = signedService(request) ?? hostService?.service ?? null;
  if (service === null) return null;
  if (service === 's3' || service === 's3express') {
    const found = s3Operation(request, hostService?.bucket ?? null);
    const meaning = awsMeaning('s3', found.operation);
    return action('aws:s3', found.operation === null ? unnamed(request) : meaning.access, {
      operation: found.operation,
      resource: found.resource,
      tags: meaning.tags,
    });
  }
  const operation = operationOf(request, service);
  const meaning = awsMeaning(service, operation);
  return action(`aws:${service}`, operation === null ? unnamed(request) : meaning.access, {
    operation,
    resource: resourceOf(request, service),
    tags: meaning.tags,
  });
}

/** Nobody knows which operation it is: a GET of a REST protocol reads; anything else may do anything. */
const unnamed = (request: ApiRequest) => (accessOfMethod(request.method) === 'read' ? 'read' : 'unknown');

/** `Credential=AKID/20261122/us-east-1/iam/aws4_request`; SigV4A has no region in it. Presigned URLs carry it in the query. */
function signedService(request: ApiRequest): string | null {
  const header = request.header('authorization');
  const inHeader = header?.startsWith('AWS4-') ? /Credential=([^,\s]+)/.exec(header)?.[1] : undefined;
  const presigned = request.query['X-Amz-Credential'];
  const scope = inHeader ?? (presigned?.length === 1 ? presigned[0] : undefined);
  const service = /\/\d{8}\/(?:[a-z0-9-]+\/)?([a-z0-9-]+)\/aws4_request$/.exec(scope ?? '')?.[1];
  return service ?? null;
}

const REGION = /^[a-z]{2}(?:-[a-z]+)+-\d+$/;

function serviceOfHost(host: string): { service: string; bucket: string | null } | null {
  const match = /^(.+)\.(?:amazonaws\.com(?:\.cn)?|api\.aws)$/.exec(host);
  if (!match) return null;
  const labels = (match[1] ?? '').split('.').filter((label) => label !== 'dualstack');
  if (labels.length > 1 && REGION.test(labels.at(-1) ?? '')) labels.pop();
  const last = labels.at(-1) ?? '';
  // `s3-us-west-2`, `s3-accelerate`, `s3-fips`: older and special end points of the same service.
  const service = last === 's3' || last.startsWith('s3-') ? 's3' : last.replace(/-fips$/, '');
  return { service, bucket: service === 's3' && labels.length > 1 ? labels.slice(0, -1).join('.') : null };
}

const REST = routeTable(`
  GET /2015-03-31/functions ListFunctions
  POST /2015-03-31/functions CreateFunction
  GET /2015-03-31/functions/{name} GetFunction
  DELETE /2015-03-31/functions/{name} DeleteFunction
  PUT /2015-03-31/functions/{name}/code UpdateFunctionCode
  GET /2015-03-31/functions/{name}/configuration GetFunctionConfiguration
  PUT /2015-03-31/functions/{name}/configuration UpdateFunctionConfiguration
  POST /2015-03-31/functions/{name}/invocations Invoke
  POST /2015-03-31/functions/{name}/policy AddPermission
  DELETE /2015-03-31/functions/{name}/policy/{statement} RemovePermission
  POST /2015-03-31/functions/{name}/versions PublishVersion
  POST /model/{id}/invoke InvokeModel
  POST /model/{id}/invoke-with-response-stream InvokeModelWithResponseStream
  POST /model/{id}/converse Converse
  POST /model/{id}/converse-stream ConverseStream
  GET /clusters ListClusters
  POST /clusters CreateCluster
  GET /clusters/{name} DescribeCluster
  DELETE /clusters/{name} DeleteCluster
  POST /clusters/{name}/access-entries CreateAccessEntry
  POST /clusters/{name}/node-groups CreateNodegroup
  DELETE /clusters/{name}/node-groups/{group} DeleteNodegroup
`);
const REST_SERVICES = new Set(['lambda', 'bedrock', 'bedrock-runtime', 'eks']);

function operationOf(request: ApiRequest, service: string): string | null {
  const target = request.header('x-amz-target');
  const inBody = textField(request.body, 'Action');
  const inQuery = request.query.Action?.length === 1 ? (request.query.Action[0] ?? null) : null;
  const named = [target === null ? null : target.slice(target.lastIndexOf('.') + 1), inBody, inQuery].filter(
    (name): name is string => name !== null,
  );
  // JSON services may have a member called Action: only the target counts there. Otherwise two names are one too many.
  if (target !== null) return validName(named[0]);
  if (named.length > 0) return named.length === 1 ? validName(named[0]) : null;
  const [first, , third, operation] = request.segments;
  if (first === 'service' && third === 'operation' && request.segments.length === 4)
    return validName(operation);
  return REST_SERVICES.has(service)
    ? (matchRoute(REST, request.method, request.segments)?.operation ?? null)
    : null;
}

const validName = (name: string | undefined): string | null =>
  name && /^[A-Z][A-Za-z0-9]{2,100}$/.test(name) ? name : null;

/** The member that names what is acted upon, where one call has one. */
const RESOURCE_MEMBER: Readonly<Record<string, string>> = {
  dynamodb: 'TableName',
  kms: 'KeyId',
  secretsmanager: 'SecretId',
  ssm: 'Name',
};

function resourceOf(request: ApiRequest, service: string): string | null {
  if (service === 'lambda' && request.segments[1] === 'functions') return request.segments[2] ?? null;
  const member = RESOURCE_MEMBER[service];
  return member === undefined ? null : textField(request.body, member);
}
