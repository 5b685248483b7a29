// Creates the schema and the shop: one tax rate, one shipping method, one payment method, and the products of a CSV file.
import { setTimeout } from 'node:timers/promises';
import { INestApplicationContext } from '@nestjs/common';
import {
    bootstrap,
    InitialData,
    JobQueueService,
    LanguageCode,
    RequestContextService,
    SearchService,
    TransactionalConnection,
} from '@vendure/core';
import { populate } from '@vendure/core/cli';
import { config } from './vendure-config';

const initialData: InitialData = {
    defaultLanguage: LanguageCode.en,
    defaultZone: 'Europe',
    countries: [{ name: 'Germany', code: 'DE', zone: 'Europe' }],
    taxRates: [{ name: 'Standard Tax', percentage: 19 }],
    shippingMethods: [{ name: 'Parcel', price: 490 }],
    paymentMethods: [
        {
            name: 'Dummy',
            handler: { code: 'dummy-payment-handler', arguments: [{ name: 'automaticSettle', value: 'true' }] },
        },
    ],
    collections: [],
};

async function seed(productsCsv: string): Promise<void> {
    const app = await populate(
        () => bootstrap({ ...config, dbConnectionOptions: { ...config.dbConnectionOptions, synchronize: true } as any }),
        initialData,
        productsCsv,
    );
    await buildSearchIndex(app);
    await app.close();
}

// The import has queued a job for each product. One job for all products takes seconds instead of minutes.
async function buildSearchIndex(app: INestApplicationContext): Promise<void> {
    const database = app.get(TransactionalConnection).rawConnection;
    await database.query('DELETE FROM job_record');
    await app.get(SearchService).reindex(await app.get(RequestContextService).create({ apiType: 'admin' }));
    await app.get(JobQueueService).start();
    while ((await database.query('SELECT FROM job_record WHERE NOT "isSettled"')).length > 0) {
        await setTimeout(200);
    }
}

seed(process.argv[2]).then(
    () => process.exit(0),
    (error: unknown) => {
        console.error(error);
        process.exit(1);
    },
);
