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

/**
 * Fences around `text`, as many as it takes for each to have at most `room` characters as sent. Broken between
 * lines where that can be; three backticks in a row, which would end a fence, are spelt out.
 */
export function codeFences(text: string, room: number): readonly string[] {
  const inside = room - '```\n\n```'.length;
  const held = text.replace(/`{3,}/g, (run) => spellOut('`').repeat(run.length));
  const chunks: string[] = [];
  let chunk = '';
  for (const line of held.split(/(?<=\n)/)) {
    const escaped = escapeMrkdwn(line);
    if (chunk !== '' && chunk.length + escaped.length > inside) {
      chunks.push(chunk);
      chunk = '';
    }
    if (escaped.length <= inside) {
      chunk += escaped;
      continue;
    }
    for (const character of line) {
      const piece = escapeMrkdwn(character);
      if (chunk.length + piece.length > inside) {
        chunks.push(chunk);
        chunk = '';
      }
      chunk += piece;
    }
  }
  if (chunk !== '' || chunks.length === 0) chunks.push(chunk === '' ? ' ' : chunk);
  return chunks.map((each) => `\`\`\`\n${each.replace(/\n$/, '')}\n\`\`\``);
}
