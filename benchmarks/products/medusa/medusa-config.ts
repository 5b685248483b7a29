// Follows https://docs.medusajs.com/learn/deployment/general. With REDIS_URL, it has the modules that this guide
// recommends for production. Without, it has Medusa's defaults, which keep locks, events and workflows in the process.
import { defineConfig } from "@medusajs/framework/utils"

const redisUrl = process.env.REDIS_URL

const redisModules = [
  {
    resolve: "@medusajs/medusa/caching",
    options: {
      providers: [
        {
          resolve: "@medusajs/caching-redis",
          id: "caching-redis",
          is_default: true,
          options: { redisUrl: process.env.CACHE_REDIS_URL },
        },
      ],
    },
  },
  { resolve: "@medusajs/medusa/event-bus-redis", options: { redisUrl } },
  { resolve: "@medusajs/medusa/workflow-engine-redis", options: { redis: { redisUrl } } },
  {
    resolve: "@medusajs/medusa/locking",
    options: {
      providers: [
        { resolve: "@medusajs/medusa/locking-redis", id: "locking-redis", is_default: true, options: { redisUrl } },
      ],
    },
  },
]

module.exports = defineConfig({
  projectConfig: {
    databaseUrl: process.env.DATABASE_URL,
    // PostgreSQL runs on the same machine, without TLS.
    databaseDriverOptions: { connection: { ssl: false } },
    redisUrl,
    workerMode: process.env.MEDUSA_WORKER_MODE as "shared" | "worker" | "server",
    http: {
      storeCors: "https://shop.example",
      adminCors: "https://admin.example",
      authCors: "https://shop.example,https://admin.example",
      jwtSecret: "local-only-not-a-secret",
      cookieSecret: "local-only-not-a-secret",
    },
  },
  admin: { disable: true },
  modules: redisUrl ? redisModules : [],
})
