# The call screen and the console: docker build -f infra/docker/web.Dockerfile -t greenroom-web .
FROM node:20.20.2-bookworm-slim AS build
WORKDIR /app
RUN npm install --global pnpm@12.21.0
COPY . .
RUN pnpm install --frozen-lockfile && pnpm exec tsc -b services/web && node scripts/build-page.mjs
# What runs needs no compiler: the same lockfile once more, without what only builds, tests and the browser need.
RUN find . -name node_modules -prune -exec rm -rf {} + \
  && CI=true pnpm install --frozen-lockfile --prod --filter "@greenroom/web..."

FROM node:20.20.2-bookworm-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates tini \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
ENV NODE_ENV=production
COPY --from=build /app/package.json ./package.json
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/packages/contracts ./packages/contracts
COPY --from=build /app/packages/service-kit ./packages/service-kit
COPY --from=build /app/services/web ./services/web
COPY --from=build /app/infra/docker/is-ready.mjs ./infra/docker/is-ready.mjs
USER node
EXPOSE 3000
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s --retries=3 CMD ["node", "infra/docker/is-ready.mjs", "WEB_PORT", "3000"]
ENTRYPOINT ["tini", "-s", "--"]
CMD ["node", "services/web/dist/main.js"]
