/** Must be imported before the native server is: it reads this when it is loaded. */
process.env.UWS_HTTP_MAX_HEADERS_SIZE = '65536';
