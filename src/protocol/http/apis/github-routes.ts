/**
 * Owns the table of GitHub's REST routes that people care to tell apart. A route that is not here is not guessed.
 * Must never judge a route.
 */

import { routeTable } from './routes.ts';

const R = '/repos/{owner}/{repo}';

export const GITHUB_ROUTES = routeTable(
  `
  GET /user users/get-authenticated
  GET /users/{name} users/get-by-username
  GET /user/repos repos/list-for-authenticated-user
  POST /user/repos repos/create-for-authenticated-user
  POST /user/keys users/create-public-ssh-key-for-authenticated-user admin credential
  GET /orgs/{org} orgs/get
  PATCH /orgs/{org} orgs/update admin
  DELETE /orgs/{org} orgs/delete admin delete
  GET /orgs/{org}/repos repos/list-for-org
  POST /orgs/{org}/repos repos/create-in-org
  GET /orgs/{org}/members orgs/list-members
  DELETE /orgs/{org}/members/{user} orgs/remove-member admin privilege delete
  PUT /orgs/{org}/memberships/{user} orgs/set-membership-for-user admin privilege
  POST /orgs/{org}/invitations orgs/create-invitation admin privilege
  POST /orgs/{org}/hooks orgs/create-webhook admin
  PUT /orgs/{org}/teams/{team}/memberships/{user} teams/add-or-update-membership-for-user-in-org admin privilege
  PUT /orgs/{org}/teams/{team}/repos/{owner}/{repo} teams/add-or-update-repo-permissions-in-org admin privilege
  PUT /orgs/{org}/actions/secrets/{name} actions/create-or-update-org-secret admin secrets
  DELETE /orgs/{org}/actions/secrets/{name} actions/delete-org-secret admin secrets delete
  GET /search/code search/code
  GET /search/issues search/issues-and-pull-requests
  GET /search/repositories search/repos
  GET /rate_limit rate-limit/get
  GET /notifications activity/list-notifications-for-authenticated-user
  POST /gists gists/create
  DELETE /gists/{id} gists/delete - delete
  GET ~ repos/get
  PATCH ~ repos/update admin
  DELETE ~ repos/delete admin delete
  POST ~/transfer repos/transfer admin privilege
  POST ~/forks repos/create-fork
  GET ~/branches repos/list-branches
  GET ~/branches/{branch} repos/get-branch
  POST ~/branches/{branch}/rename repos/rename-branch
  GET ~/branches/{branch}/protection repos/get-branch-protection
  PUT ~/branches/{branch}/protection repos/update-branch-protection admin privilege
  DELETE ~/branches/{branch}/protection repos/delete-branch-protection admin privilege delete
  GET ~/rulesets repos/get-repo-rulesets
  POST ~/rulesets repos/create-repo-ruleset admin privilege
  PUT ~/rulesets/{id} repos/update-repo-ruleset admin privilege
  DELETE ~/rulesets/{id} repos/delete-repo-ruleset admin privilege delete
  GET ~/collaborators repos/list-collaborators
  PUT ~/collaborators/{user} repos/add-collaborator admin privilege
  DELETE ~/collaborators/{user} repos/remove-collaborator admin privilege delete
  GET ~/keys repos/list-deploy-keys
  POST ~/keys repos/create-deploy-key admin credential
  DELETE ~/keys/{id} repos/delete-deploy-key admin credential delete
  GET ~/hooks repos/list-webhooks
  POST ~/hooks repos/create-webhook admin
  PATCH ~/hooks/{id} repos/update-webhook admin
  DELETE ~/hooks/{id} repos/delete-webhook admin delete
  GET ~/commits repos/list-commits
  GET ~/commits/{ref} repos/get-commit
  GET ~/compare/{basehead} repos/compare-commits
  GET ~/readme repos/get-readme
  GET ~/contents/{path+} repos/get-content
  PUT ~/contents/{path+} repos/create-or-update-file-contents - push
  DELETE ~/contents/{path+} repos/delete-file - push delete
  POST ~/merges repos/merge - merge push
  POST ~/merge-upstream repos/merge-upstream - merge push
  GET ~/git/ref/{ref+} git/get-ref
  GET ~/git/matching-refs/{ref+} git/list-matching-refs
  POST ~/git/refs git/create-ref - push
  PATCH ~/git/refs/{ref+} git/update-ref - push
  DELETE ~/git/refs/{ref+} git/delete-ref - push delete
  POST ~/git/blobs git/create-blob
  GET ~/git/blobs/{sha} git/get-blob
  POST ~/git/trees git/create-tree
  GET ~/git/trees/{sha} git/get-tree
  POST ~/git/commits git/create-commit
  GET ~/git/commits/{sha} git/get-commit
  POST ~/git/tags git/create-tag
  GET ~/issues issues/list-for-repo
  POST ~/issues issues/create
  GET ~/issues/{n} issues/get
  PATCH ~/issues/{n} issues/update
  GET ~/issues/{n}/comments issues/list-comments
  POST ~/issues/{n}/comments issues/create-comment
  PATCH ~/issues/comments/{id} issues/update-comment
  DELETE ~/issues/comments/{id} issues/delete-comment - delete
  POST ~/issues/{n}/labels issues/add-labels
  GET ~/labels issues/list-labels-for-repo
  GET ~/pulls pulls/list
  POST ~/pulls pulls/create
  GET ~/pulls/{n} pulls/get
  PATCH ~/pulls/{n} pulls/update
  GET ~/pulls/{n}/files pulls/list-files
  GET ~/pulls/{n}/reviews pulls/list-reviews
  POST ~/pulls/{n}/reviews pulls/create-review
  POST ~/pulls/{n}/comments pulls/create-review-comment
  POST ~/pulls/{n}/requested_reviewers pulls/request-reviewers
  PUT ~/pulls/{n}/merge pulls/merge - merge
  PUT ~/pulls/{n}/update-branch pulls/update-branch - push
  GET ~/releases repos/list-releases
  POST ~/releases repos/create-release - deploy
  PATCH ~/releases/{id} repos/update-release - deploy
  DELETE ~/releases/{id} repos/delete-release - delete
  POST ~/releases/{id}/assets repos/upload-release-asset - deploy upload
  GET ~/deployments repos/list-deployments
  POST ~/deployments repos/create-deployment - deploy
  DELETE ~/deployments/{id} repos/delete-deployment - delete
  POST ~/deployments/{id}/statuses repos/create-deployment-status - deploy
  POST ~/statuses/{sha} repos/create-commit-status
  POST ~/dispatches repos/create-dispatch-event - workflow
  GET ~/environments repos/get-all-environments
  PUT ~/environments/{name} repos/create-or-update-environment admin
  DELETE ~/environments/{name} repos/delete-an-environment admin delete
  GET ~/actions/workflows actions/list-repo-workflows
  POST ~/actions/workflows/{id}/dispatches actions/create-workflow-dispatch - workflow
  PUT ~/actions/workflows/{id}/disable actions/disable-workflow - workflow
  PUT ~/actions/workflows/{id}/enable actions/enable-workflow - workflow
  GET ~/actions/runs actions/list-workflow-runs-for-repo
  GET ~/actions/runs/{id} actions/get-workflow-run
  GET ~/actions/runs/{id}/logs actions/download-workflow-run-logs
  POST ~/actions/runs/{id}/rerun actions/re-run-workflow - workflow
  POST ~/actions/runs/{id}/cancel actions/cancel-workflow-run - workflow
  POST ~/actions/runs/{id}/approve actions/approve-workflow-run - workflow
  POST ~/actions/runs/{id}/pending_deployments actions/review-pending-deployments-for-run - deploy
  GET ~/actions/secrets actions/list-repo-secrets
  GET ~/actions/secrets/public-key actions/get-repo-public-key
  PUT ~/actions/secrets/{name} actions/create-or-update-repo-secret admin secrets
  DELETE ~/actions/secrets/{name} actions/delete-repo-secret admin secrets delete
  POST ~/actions/runners/registration-token actions/create-registration-token-for-repo admin credential
  PUT ~/actions/permissions actions/set-github-actions-permissions-repository admin privilege
  POST ~/pages repos/create-pages-site - deploy
  PUT ~/pages repos/update-information-about-pages-site - deploy
  POST /app/installations/{id}/access_tokens apps/create-installation-access-token - credential
`.replaceAll(' ~', ` ${R}`),
);
