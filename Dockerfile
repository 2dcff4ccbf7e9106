FROM node:20-bookworm-slim
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev
COPY migrations migrations
COPY assets assets
COPY src src
RUN mkdir -p /data /uploads && chown node:node /data /uploads
USER node
ENV NODE_ENV=production HOST=0.0.0.0 DATA_DIR=/data UPLOAD_DIR=/uploads
EXPOSE 7878 24000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:7878/health').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--import", "tsx", "src/main.ts"]
