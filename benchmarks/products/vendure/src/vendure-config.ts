// Follows https://docs.vendure.io/guides/deployment/production-configuration and
// https://docs.vendure.io/guides/deployment/horizontal-scaling.
import {
    DefaultCachePlugin,
    DefaultJobQueuePlugin,
    DefaultLogger,
    DefaultSchedulerPlugin,
    DefaultSearchPlugin,
    dummyPaymentHandler,
    LogLevel,
    RedisCachePlugin,
    UuidIdStrategy,
    VendureConfig,
} from '@vendure/core';
import { HardenPlugin } from '@vendure/harden-plugin';
import { BullMQJobQueuePlugin } from '@vendure/job-queue-plugin/package/bullmq';

const redisPort = Number(process.env.REDIS_PORT ?? 0);

// Both stores are documented for several instances. Redis is the recommended one.
const jobsAndCache = redisPort
    ? [
          BullMQJobQueuePlugin.init({ connection: { host: '127.0.0.1', port: redisPort, maxRetriesPerRequest: null } }),
          RedisCachePlugin.init({ redisOptions: { host: '127.0.0.1', port: redisPort } }),
      ]
    : [DefaultJobQueuePlugin.init({ useDatabaseForBuffer: true }), DefaultCachePlugin.init({})];

export const config: VendureConfig = {
    logger: new DefaultLogger({ level: LogLevel.Info }),
    apiOptions: {
        hostname: '127.0.0.1',
        port: Number(process.env.PORT),
        adminApiPath: 'admin-api',
        shopApiPath: 'shop-api',
        cors: { origin: 'https://shop.example', credentials: true },
        trustProxy: 1,
    },
    authOptions: {
        tokenMethod: ['bearer', 'cookie'],
        superadminCredentials: { identifier: 'local-only', password: 'local-only-not-a-secret' },
        cookieOptions: { secret: 'local-only-not-a-secret' },
    },
    entityOptions: { entityIdStrategy: new UuidIdStrategy() },
    dbConnectionOptions: {
        type: 'postgres',
        host: process.env.DB_HOST,
        port: Number(process.env.DB_PORT),
        database: process.env.DB_NAME,
        username: process.env.DB_USER,
        synchronize: false,
        logging: false,
        // gen_random_uuid() is part of PostgreSQL. The extension uuid-ossp, the default, may be missing.
        uuidExtension: 'pgcrypto',
        installExtensions: false,
    },
    paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
    plugins: [
        HardenPlugin.init({ maxQueryComplexity: 500, apiMode: 'prod' }),
        DefaultSchedulerPlugin.init(),
        ...jobsAndCache,
        DefaultSearchPlugin.init({ bufferUpdates: false, indexStockStatus: true }),
    ],
};
