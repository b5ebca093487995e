/**
 * Owns what the session refuses whatever policy says: text that cannot be read, and switching on what the parser does
 * not model (DESIGN section 6). Must never let policy overrule it.
 */

import { ProtocolError } from '../../core/errors.ts';
import { type Refusal, refusal } from '../../core/refusal.ts';
import type { SessionEffect, SqlAnalysis } from '../sql/analysis.ts';
import { parameterStatus } from './backend.ts';
import type { Settings } from './settings.ts';

/** Settings that change how later text is read, and the one value each may be set to. */
const PINNED: Readonly<Record<string, RegExp>> = {
  client_encoding: /^utf-?8$|^unicode$/i,
  standard_conforming_strings: /^(?:on|true|yes|1)$/i,
};
const LOCKED_FLAGS = ['encoding_change', 'lexer_change'];

/** Why the text may not run at all; null where it is for policy to say. */
export function lockedRefusal(analysis: SqlAnalysis): Refusal | null {
  if (analysis.error !== null) return refusal(analysis.error.code, analysis.error.message);
  const locked = analysis.statements.find(
    ({ facts, effects }) =>
      LOCKED_FLAGS.some((flag) => facts.flags.includes(flag)) && !effects.some(keepsPinned),
  );
  const direct = analysis.statements.some(({ effects }) => effects.some(unpins));
  if (!locked && !direct) return null;
  return refusal(
    'startup_refused',
    'client_encoding stays UTF8 and standard_conforming_strings stays on: set nothing else, and no setting whose name is computed',
  );
}

function keepsPinned(effect: SessionEffect): boolean {
  return effect.kind === 'set' && effect.name in PINNED && !unpins(effect);
}

function unpins(effect: SessionEffect): boolean {
  if (effect.kind !== 'set') return false;
  // set_config of something that is computed: it could be any of them.
  if (effect.name === '?') return true;
  const form = PINNED[effect.name];
  return form !== undefined && !(effect.value?.length === 1 && form.test(effect.value[0] ?? ''));
}

/** Takes in a ParameterStatus. @throws ProtocolError when the session reads text in a way that is not followed here. */
export function reportStatus(body: Buffer | null, settings: Settings): void {
  const { name, value } = parameterStatus(body ?? Buffer.alloc(0));
  const required = REQUIRED[name];
  if (required !== undefined && value !== required)
    throw new ProtocolError(
      'startup_refused',
      `${name} became ${value}; a session through Holdpoint has ${required}`,
    );
  settings.report(name, value);
}

const REQUIRED: Readonly<Record<string, string>> = {
  client_encoding: 'UTF8',
  standard_conforming_strings: 'on',
};
