/**
 * Owns text in Slack's mrkdwn: what is ours may be formatted, what is not goes into code spans and fences, where
 * nothing is a mention, a link, a date, an emoji or a format. Pure. Must never be given text with unseen characters in
 * it: card-text.ts has made those visible.
 */

import { spellOut } from '../card-text.ts';

/** The three characters that Slack reads as control characters ("Escaping text" in its formatting guide). */
export function escapeMrkdwn(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** A code span of one line. A backtick would end it; a space at its edge would keep it from being one. */
export function codeSpan(text: string): string {
  if (text === '') return '_none_';
  const held = text.replaceAll('`', spellOut('`')).replace(/^ | $/g, spellOut(' '));
  return `\`${escapeMrkdwn(held)}\``;
}

/** A fence of lines. Three backticks in a row, which would end it, are spelt out. */
export function codeFence(text: string): string {
  const held = text.replace(/`{3,}/g, (run) => spellOut('`').repeat(run.length));
  return `\`\`\`\n${escapeMrkdwn(held === '' ? ' ' : held)}\n\`\`\``;
}

/** The most that a character can become in either. */
export function weightInCode(shown: string): number {
  return shown === '`' ? spellOut('`').length : escapeMrkdwn(shown).length;
}
