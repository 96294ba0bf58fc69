# Postern as an image: docker build -t postern .
# Resources are read from /etc/postern:  docker run -p 8080:8080 -v ./resources:/etc/postern:ro postern

FROM node:24-trixie-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc tsconfig.json tsconfig.build.json ./
# No dependency needs an install script: the native server comes with ready-made binaries.
RUN npm ci --ignore-scripts
COPY src ./src
RUN npm run build && npm prune --omit=dev --ignore-scripts
# The native server's package holds binaries for all systems; the image is for one.
RUN cd node_modules/uWebSockets.js \
  && keep="uws_linux_$(node -p 'process.arch')_$(node -p 'process.versions.modules').node" \
  && test -f "$keep" \
  && find . -mindepth 1 -maxdepth 1 ! -name "$keep" ! -name uws.js ! -name ESM_wrapper.mjs \
       ! -name package.json ! -name LICENSE -exec rm -rf {} +

FROM node:24-trixie-slim
ENV NODE_ENV=production \
    POSTERN_FILE=/etc/postern \
    POSTERN_METRICS_ADDRESS=0.0.0.0:15020
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# The image's own user "node", by number so that Kubernetes can see that it is not root.
USER 1000:1000
EXPOSE 8080 15020
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:15000/healthz/ready').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/cli.js"]
CMD ["run"]
