// A real authorization server (oidc-provider) that says yes to everybody: for tests of what takes its tokens.
// Argument: a JSON object {port, scopes: [names], groups: [names], lifetime: seconds}.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const { port, scopes, groups, lifetime } = JSON.parse(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
let key = makeKey();
let keysServed = true;
let refused = [];
let asked = 0;
let handle = makeProvider();

function makeKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), alg: 'RS256', use: 'sig' };
}

function makeProvider() {
  const provider = new Provider(issuer, {
    clients: [{
      client_id: 'robot',
      client_secret: 'robot-secret',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    }],
    cookies: { keys: ['only for tests'] },
    claims: { openid: ['sub'] },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    jwks: { keys: [key] },
    scopes: ['openid', 'offline_access', ...scopes],
    extraTokenClaims: () => ({ groups }),
    loadExistingGrant: async ({ oidc }) => {
      const grant = new oidc.provider.Grant({
        clientId: oidc.client.clientId,
        accountId: oidc.session.accountId,
      });
      // The server knows them for its clients' sake; whether a token gets them is said per resource.
      grant.addOIDCScope(['openid', 'offline_access', ...scopes].join(' '));
      for (const resource of [oidc.params.resource].flat()) {
        grant.addResourceScope(resource, scopes.filter((scope) => !refused.includes(scope)).join(' '));
        if (refused.length) grant.rejectResourceScope(resource, refused.join(' '));
      }
      await grant.save();
      return grant;
    },
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: true },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_, resource) => ({
          audience: resource,
          scope: scopes.join(' '),
          accessTokenFormat: 'jwt',
          accessTokenTTL: lifetime,
          jwt: { sign: { alg: key.alg } },
        }),
      },
    },
    pkce: { required: () => true },
  });
  const answer = provider.callback();
  return async (request, response) => {
    if (request.url.startsWith('/interaction/')) {
      await provider.interactionFinished(request, response, { login: { accountId: 'alice' }, consent: {} });
    } else {
      answer(request, response);
    }
  };
}

// What tests do to it: a new key instead of the old one; no keys for anybody; how often they were asked for;
// a person who consents to nothing but the first scope, or to everything.
const controls = {
  '/control/rotate': () => { key = makeKey(); handle = makeProvider(); },
  '/control/keys-off': () => { keysServed = false; },
  '/control/keys-on': () => { keysServed = true; },
  '/control/asked': () => asked,
  '/control/consent-to-first': () => { refused = scopes.slice(1); },
  '/control/consent-to-all': () => { refused = []; },
};

createServer((request, response) => {
  if (request.url in controls) {
    response.end(JSON.stringify(controls[request.url]() ?? null));
    return;
  }
  if (request.url === '/jwks') {
    asked += 1;
    if (!keysServed) {
      response.writeHead(503).end();
      return;
    }
  }
  handle(request, response);
}).listen(port, '127.0.0.1', () => console.log('ready'));
