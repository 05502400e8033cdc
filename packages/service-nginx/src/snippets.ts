import { ACME_FOLDER } from "./paths.ts";

export const FASTCGI = `# What PHP learns of a request. Managed by Hostwright.
fastcgi_param GATEWAY_INTERFACE CGI/1.1;
fastcgi_param SERVER_SOFTWARE nginx;
fastcgi_param QUERY_STRING $query_string;
fastcgi_param REQUEST_METHOD $request_method;
fastcgi_param CONTENT_TYPE $content_type;
fastcgi_param CONTENT_LENGTH $content_length;
fastcgi_param REQUEST_URI $request_uri;
fastcgi_param DOCUMENT_URI $document_uri;
fastcgi_param SERVER_PROTOCOL $server_protocol;
fastcgi_param REQUEST_SCHEME $scheme;
fastcgi_param HTTPS $https if_not_empty;
fastcgi_param REMOTE_ADDR $remote_addr;
fastcgi_param REMOTE_PORT $remote_port;
fastcgi_param SERVER_ADDR $server_addr;
fastcgi_param SERVER_PORT $server_port;
fastcgi_param SERVER_NAME $host;
fastcgi_param REDIRECT_STATUS 200;
# A visitor's header "Proxy" must not become PHP's proxy (httpoxy).
fastcgi_param HTTP_PROXY "";
# Applications send long headers (cache tags); nginx's default of 4k answers them with 502.
fastcgi_buffer_size 32k;
fastcgi_buffers 8 32k;
`;

export const ACME: string = `# Challenges of certificate authorities, on every name. Managed by Hostwright.
location ^~ /.well-known/acme-challenge/ {
    alias ${ACME_FOLDER}/;
    default_type text/plain;
    disable_symlinks on;
    auth_basic off;
}
`;
