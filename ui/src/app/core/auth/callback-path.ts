/** Route the identity provider sends the browser back to; registered there as the redirect URI. */
export const CALLBACK_PATH = 'auth/callback';
