# The spawner with the reference agent: docker build -f infra/docker/spawner.Dockerfile -t greenroom-spawner .
# For agents of your own, build an image FROM this one that adds what they need, and set AGENT_COMMAND or PROFILES_FILE.
FROM node:20.20.2-bookworm-slim AS build
WORKDIR /app
RUN npm install --global pnpm@12.21.0
COPY . .
RUN pnpm install --frozen-lockfile && pnpm exec tsc -b services/spawner services/agent
# What runs needs no compiler: the same lockfile once more, without what only builds and tests need.
RUN find . -name node_modules -prune -exec rm -rf {} + \
  && CI=true pnpm install --frozen-lockfile --prod --filter "@greenroom/spawner..." --filter "@greenroom/agent..."

FROM node:20.20.2-bookworm-slim
# flite, espeak-ng and pocketsphinx are how the reference agent speaks and listens.
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates tini flite espeak-ng pocketsphinx pocketsphinx-en-us \
  && rm -rf /var/lib/apt/lists/* \
  && install -d -o node -g node -m 700 /var/lib/greenroom
WORKDIR /app
ENV NODE_ENV=production
ENV STATE_DIR=/var/lib/greenroom
COPY --from=build /app/package.json ./package.json
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/packages/contracts ./packages/contracts
COPY --from=build /app/packages/dead-air ./packages/dead-air
COPY --from=build /app/packages/redis-schema ./packages/redis-schema
COPY --from=build /app/packages/service-kit ./packages/service-kit
COPY --from=build /app/services/agent ./services/agent
COPY --from=build /app/services/spawner ./services/spawner
COPY --from=build /app/infra/docker/is-ready.mjs ./infra/docker/is-ready.mjs
COPY --from=build /app/infra/docker/spawner-loop.sh ./infra/docker/spawner-loop.sh
USER node
EXPOSE 8081
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 CMD ["node", "infra/docker/is-ready.mjs", "SPAWNER_PORT", "8081"]
# tini reaps what agents leave behind; the loop starts the spawner again when it dies, and its agents live on meanwhile.
ENTRYPOINT ["tini", "-s", "--", "/app/infra/docker/spawner-loop.sh"]
