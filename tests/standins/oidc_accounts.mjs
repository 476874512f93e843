// An authorization server where people have accounts: code with PKCE, rotating refresh tokens, revocation.
// `node oidc_accounts.mjs`: prints its issuer once it listens, and ends when its standard input does.
// Whoever logs in is who they say they are. GET /counts: how often each grant was used, and how it ended.
import http from 'node:http';

import Provider from 'oidc-provider';

const counts = {};
const server = http.createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: 'ringmain',
      client_secret: 'a-secret-of-the-registered-app',
      application_type: 'native', // so that it may come back to any port of this machine
      redirect_uris: ['http://127.0.0.1/accounts/desk/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
    }],
    claims: { openid: ['sub'], email: ['email'] },
    conformIdTokenClaims: false,
    features: { revocation: { enabled: true } },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@example.com` }),
    }),
    pkce: { required: () => true },
    rotateRefreshToken: true,
    scopes: ['openid', 'offline_access', 'email'],
    ttl: { AccessToken: 3600, Grant: 3600, Interaction: 600, RefreshToken: 3600, Session: 3600 },
  });
  const count = (ctx, outcome) => {
    const what = `${ctx.oidc.params?.grant_type ?? 'unknown'}_${outcome}`;
    counts[what] = (counts[what] ?? 0) + 1;
  };
  provider.on('grant.success', (ctx) => count(ctx, 'ok'));
  provider.on('grant.error', (ctx) => count(ctx, 'failed'));
  const serve = provider.callback();
  server.on('request', (request, response) => {
    if (request.url !== '/counts') {
      serve(request, response);
      return;
    }
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(counts));
  });
  console.log(issuer);
});
process.stdin.on('end', () => process.exit(0)).resume();
