/**
 * Owns the list of recognisers and their order: those that a host or a signature identifies first, those that go
 * by the form of the call after them, the generic one last. Must never know what any of them looks for.
 */

import type { ActionFacts } from '../../../core/facts.ts';
import { recogniseAws } from './aws.ts';
import { recogniseGeneric } from './generic.ts';
import { recogniseGit } from './git.ts';
import { recogniseGithub } from './github.ts';
import { recogniseGraphql } from './graphql.ts';
import { recogniseGrpc } from './grpc.ts';
import { recogniseKubernetes } from './kubernetes.ts';
import { recogniseMcp } from './mcp.ts';
import { recogniseOpenai } from './openai.ts';
import type { ApiRequest, Recogniser } from './recogniser.ts';

const RECOGNISERS: readonly Recogniser[] = [
  recogniseGithub,
  recogniseOpenai,
  recogniseAws,
  recogniseGrpc,
  recogniseMcp,
  recogniseGit,
  recogniseKubernetes,
  recogniseGraphql,
];

export function recognise(request: ApiRequest): ActionFacts {
  for (const recogniser of RECOGNISERS) {
    const found = recogniser(request);
    if (found) return found;
  }
  return recogniseGeneric(request);
}
