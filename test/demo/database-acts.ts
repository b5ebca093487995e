/** The acts at the database: a bounded read, an export approved, an export denied, a table that stays. */

import { decideTicket, showTicket } from '../support/control-api.ts';
import { OPEN, reviewerSees } from './reviewer.ts';
import type { SqlAgent } from './sql-agent.ts';
import type { Stage } from './stage.ts';
import { OWNER_SLACK, REVIEWER_SLACK, type World } from './world.ts';

export async function databaseActs(stage: Stage, world: World, agent: SqlAgent): Promise<void> {
  const { holdpoint, slack } = world;
  /** As the agent, through Holdpoint. */
  const ask = (sql: string) => agent.run(holdpoint.agentUrl, sql);
  /** Behind Holdpoint's back: what is really in the database. */
  const really = (sql: string) => agent.run(holdpoint.directUrl, sql);
  const client = agent.client;

  await stage.act('A bounded read passes', async ({ says, check }) => {
    const sql = 'SELECT id, status, total FROM orders WHERE customer_id = 38 ORDER BY id LIMIT 5';
    says('agent', `${client}> ${sql}`);
    const outcome = await ask(sql);
    says('agent', outcome.text);
    const { rows } = await really(sql);
    check(
      'the rows arrive, and nobody is asked',
      outcome.rows === rows && slack.messages().length === 0,
      outcome,
    );
  });

  await stage.act('A bulk export waits for a person who is not its owner', async ({ says, check }) => {
    const sql = 'SELECT * FROM customers';
    says('agent', `${client}> ${sql}`);
    const answer = ask(sql);
    const { card, ticket } = await reviewerSees(world, says);
    check('the agent waits', (await Promise.race([answer, OPEN])) === OPEN);

    says('owner', `POST /api/v1/approvals/${ticket}/decision {"decision":"approve"}`);
    const refused = await decideTicket(holdpoint, holdpoint.owner, ticket, { decision: 'approve' });
    says('owner', `${refused.status}: ${String(refused.body.detail ?? refused.body.title)}`);
    check('the owner of the agent cannot approve over the API', refused.status === 403, refused);
    says('owner', 'clicks Approve in Slack');
    await slack.click({ user: OWNER_SLACK, action: 'Approve', message: card });
    const told = await slack.waitForEphemeral(({ user }) => user === OWNER_SLACK);
    says('owner', told.text);
    const { body } = await showTicket(holdpoint, holdpoint.reviewer, ticket);
    check('nor in Slack: the ticket is still pending', body.state === 'pending', body);

    says('reviewer', 'clicks Approve in Slack');
    await slack.click({ user: REVIEWER_SLACK, action: 'Approve', message: card });
    const outcome = await answer;
    says('agent', outcome.text);
    check('3000 rows arrive once the reviewer has approved', outcome.rows === 3000, outcome);
    const shown = await slack.waitForMessage(({ ts, edits }) => ts === card.ts && edits > 0);
    says('reviewer', `the card now says: ${shown.text}`);
    check('the card tells that it is decided, and can no longer be clicked', !hasButtons(shown), shown.text);
  });

  await stage.act('A COPY of the same table is denied, with a reason', async ({ says, check }) => {
    const sql = 'COPY customers TO STDOUT';
    const reason = 'Use the customer_directory export instead';
    says('agent', `${client}> ${sql}`);
    const answer = ask(sql);
    const { card, ticket } = await reviewerSees(world, says);
    check('the approval of the SELECT does not cover it', (await Promise.race([answer, OPEN])) === OPEN);
    says('reviewer', `denies: “${reason}”`);
    const denied = await decideTicket(holdpoint, holdpoint.reviewer, ticket, { decision: 'deny', reason });
    check('the denial is accepted', denied.status === 200, denied);
    const outcome = await answer;
    says('agent', outcome.text);
    check('the agent gets SQLSTATE 42501', outcome.sqlstate === '42501', outcome);
    check('and can read why', outcome.text.includes(reason) && outcome.text.includes(ticket), outcome.text);
    await slack.waitForMessage(({ ts, edits }) => ts === card.ts && edits > 0);
  });

  await stage.act('DROP TABLE is denied by policy', async ({ says, check }) => {
    const cards = slack.messages().length;
    says('agent', `${client}> DROP TABLE payments`);
    const outcome = await ask('DROP TABLE payments');
    says('agent', outcome.text);
    check('the agent gets SQLSTATE 42501', outcome.sqlstate === '42501', outcome);
    check('nobody was bothered', slack.messages().length === cards);
    const left = await really('SELECT id FROM payments');
    check('the table is still there, with its 5000 rows', left.rows === 5000, left);
  });
}

function hasButtons({ blocks }: { readonly blocks: readonly { readonly type?: unknown }[] }): boolean {
  return blocks.some(({ type }) => type === 'actions');
}
