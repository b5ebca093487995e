/** The acts on the web: a known API, a restart that waits, and the one address that gives keys away. */

import { HTTPS_API_HOST } from '../stand-ins/https-api/server.ts';
import type { KubernetesApi } from '../stand-ins/kubernetes/server.ts';
import { restartDeployment, sendHttp, sendHttps } from './http-agent.ts';
import { OPEN, reviewerSees } from './reviewer.ts';
import type { Stage } from './stage.ts';
import { REVIEWER_SLACK, type World } from './world.ts';

export async function httpActs(stage: Stage, world: World): Promise<void> {
  const { slack, kubernetes, api } = world;

  await stage.act('A call of a known API passes', async ({ says, check }) => {
    const cards = slack.messages().length;
    const url = `https://${HTTPS_API_HOST}/v1/rates`;
    says('agent', `GET ${url}`);
    const { status, body } = await sendHttps(world, url);
    says('agent', `${status} ${body}`);
    check('the answer is the API’s own', status === 200 && JSON.parse(body).base === 'EUR', body);
    check(
      'it was sent once, and nobody was asked',
      api.requests.length === 1 && slack.messages().length === cards,
    );
  });

  await stage.act('A restart in production waits, inside intercepted TLS', async ({ says, check }) => {
    says('agent', 'kubectl rollout restart deployment/api --namespace prod');
    const answer = restartDeployment(world, 'prod', 'api');
    const { card } = await reviewerSees(world, says);
    check('kubectl waits', (await Promise.race([answer, OPEN])) === OPEN);
    check('the cluster has seen no change', patches(kubernetes).length === 0, patches(kubernetes));
    says('reviewer', 'clicks Approve in Slack');
    await slack.click({ user: REVIEWER_SLACK, action: 'Approve', message: card });
    const outcome = await answer;
    says('agent', outcome.text);
    check('kubectl reports the restart', outcome.ok && outcome.text.includes('restarted'), outcome);
    check('the cluster saw it exactly once', patches(kubernetes).length === 1, patches(kubernetes));
    const annotations = kubernetes.deployment('prod', 'api')?.spec.template.metadata.annotations;
    const restartedAt = annotations?.['kubectl.kubernetes.io/restartedAt'];
    check('and the pods are to be replaced', restartedAt !== undefined, annotations);
  });

  await stage.act('The cloud’s metadata service is out of reach', async ({ says, check }) => {
    const url = 'http://169.254.169.254/latest/meta-data/iam/security-credentials/';
    says('agent', `GET ${url}`);
    const { status, contentType, body } = await sendHttp(world, url);
    says('agent', `${status} ${body}`);
    check('the agent is refused', status === 403, status);
    check(
      'with a problem document that it can read',
      contentType.startsWith('application/problem+json'),
      contentType,
    );
  });
}

const patches = ({ requests }: KubernetesApi): readonly string[] =>
  requests.filter(({ method }) => method === 'PATCH').map(({ target }) => target);
