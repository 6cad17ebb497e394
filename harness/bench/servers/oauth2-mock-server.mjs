// oauth2-mock-server as its README starts it, but on the loopback address only.
import { OAuth2Server } from 'oauth2-mock-server';

const { port, issuer, algorithms } = JSON.parse(process.env.PEER);

const server = new OAuth2Server();
for (const algorithm of algorithms) await server.issuer.keys.generate(algorithm);
server.issuer.url = issuer;
await server.start(port, '127.0.0.1');
server.issuer.url = issuer;
