# crossmodal with the starter models, on the CPU.
#
#   docker build -t crossmodal .
#   docker run --rm -v crossmodal:/data crossmodal keys create me --scope admin
#   docker run -p 8080:8080 -v crossmodal:/data crossmodal
#
# docs/operations.md says how to size it, back it up and update it.

FROM node:22-bookworm-slim AS build
WORKDIR /app
# usearch and SQLite come built; a compiler is there for platforms without a build.
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install -y --no-install-recommends g++ make python3 \
  && rm -rf /var/lib/apt/lists/*
COPY package.json package-lock.json .npmrc ./
COPY install ./install
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:22-bookworm-slim
# ffmpeg reads M4A, AAC and WebM; heif-convert reads HEIC; tini ends what decoders leave behind.
# A volume takes its owner from the folder that it is mounted on, /data/media too.
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install -y --no-install-recommends ffmpeg libheif-examples tini \
  && rm -rf /var/lib/apt/lists/* \
  && mkdir -p /data/media && chown -R 1000:1000 /data
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=build /app/models ./models
COPY --from=build /app/fixtures ./fixtures
COPY --from=build /app/LICENSE /app/NOTICE ./
ENV NODE_ENV=production \
  CROSSMODAL_HOST=0.0.0.0 \
  CROSSMODAL_DATA_DIR=/data
USER 1000:1000
VOLUME /data
EXPOSE 8080
# Of the server of the data folder: it does not see a --data-dir of `serve`.
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s \
  CMD ["node", "dist/cli.js", "health"]
ENTRYPOINT ["tini", "--", "node", "dist/cli.js"]
CMD ["serve"]
