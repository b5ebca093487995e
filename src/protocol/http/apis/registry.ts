/**
 * Owns the list of recognisers and their order: those that a host or a signature identifies first, those that go
 * by the form of the call after them, the generic one last. Must never know what any of them looks for.
 */

import type { ActionFacts } from '../../../core/facts.ts';
import { recogniseGeneric } from './generic.ts';
import { recogniseKubernetes } from './kubernetes.ts';
import type { ApiRequest, Recogniser } from './recogniser.ts';

const RECOGNISERS: readonly Recogniser[] = [recogniseKubernetes];

export function recognise(request: ApiRequest): ActionFacts {
  for (const recogniser of RECOGNISERS) {
    const found = recogniser(request);
    if (found) return found;
  }
  return recogniseGeneric(request);
}
