// Creates the shop: a region with a tax rate, a stock location, a shipping option, a publishable key, and the products
// of the JSON file PRODUCTS. Writes the IDs that a client needs to the JSON file SEEDED.
import { readFileSync, writeFileSync } from "node:fs"
import { ExecArgs } from "@medusajs/framework/types"
import { ContainerRegistrationKeys, Modules, ProductStatus } from "@medusajs/framework/utils"
import {
  createApiKeysWorkflow,
  createInventoryLevelsWorkflow,
  createProductsWorkflow,
  createRegionsWorkflow,
  createSalesChannelsWorkflow,
  createShippingOptionsWorkflow,
  createShippingProfilesWorkflow,
  createStockLocationsWorkflow,
  createTaxRegionsWorkflow,
  linkSalesChannelsToApiKeyWorkflow,
  linkSalesChannelsToStockLocationWorkflow,
} from "@medusajs/medusa/core-flows"

type Product = { name: string; description: string; sku: string; price: number; stock: number }

const BATCH = 100

export default async function seed({ container }: ExecArgs) {
  const link = container.resolve(ContainerRegistrationKeys.LINK)
  const fulfillment = container.resolve(Modules.FULFILLMENT)

  const {
    result: [channel],
  } = await createSalesChannelsWorkflow(container).run({ input: { salesChannelsData: [{ name: "Shop" }] } })
  const {
    result: [region],
  } = await createRegionsWorkflow(container).run({
    input: {
      regions: [
        { name: "Europe", currency_code: "eur", countries: ["de"], payment_providers: ["pp_system_default"] },
      ],
    },
  })
  await createTaxRegionsWorkflow(container).run({
    input: [
      { country_code: "de", provider_id: "tp_system", default_tax_rate: { rate: 19, name: "VAT", code: "vat" } },
    ],
  })
  const {
    result: [location],
  } = await createStockLocationsWorkflow(container).run({ input: { locations: [{ name: "Warehouse" }] } })
  await link.create({
    [Modules.STOCK_LOCATION]: { stock_location_id: location.id },
    [Modules.FULFILLMENT]: { fulfillment_provider_id: "manual_manual" },
  })
  const {
    result: [profile],
  } = await createShippingProfilesWorkflow(container).run({
    input: { data: [{ name: "Parcels", type: "default" }] },
  })
  const fulfillmentSet = await fulfillment.createFulfillmentSets({
    name: "Delivery",
    type: "shipping",
    service_zones: [{ name: "Germany", geo_zones: [{ country_code: "de", type: "country" }] }],
  })
  await link.create({
    [Modules.STOCK_LOCATION]: { stock_location_id: location.id },
    [Modules.FULFILLMENT]: { fulfillment_set_id: fulfillmentSet.id },
  })
  const {
    result: [shipping],
  } = await createShippingOptionsWorkflow(container).run({
    input: [
      {
        name: "Parcel",
        price_type: "flat",
        provider_id: "manual_manual",
        service_zone_id: fulfillmentSet.service_zones[0].id,
        shipping_profile_id: profile.id,
        type: { label: "Parcel", description: "Parcel", code: "parcel" },
        prices: [{ currency_code: "eur", amount: 4.9 }],
        rules: [
          { attribute: "enabled_in_store", value: "true", operator: "eq" },
          { attribute: "is_return", value: "false", operator: "eq" },
        ],
      },
    ],
  })
  await linkSalesChannelsToStockLocationWorkflow(container).run({ input: { id: location.id, add: [channel.id] } })
  const {
    result: [key],
  } = await createApiKeysWorkflow(container).run({
    input: { api_keys: [{ title: "Shop", type: "publishable", created_by: "" }] },
  })
  await linkSalesChannelsToApiKeyWorkflow(container).run({ input: { id: key.id, add: [channel.id] } })

  const products: Product[] = JSON.parse(readFileSync(process.env.PRODUCTS!, "utf8"))
  for (let start = 0; start < products.length; start += BATCH) {
    await createBatch(container, products.slice(start, start + BATCH), channel.id, profile.id, location.id)
  }
  const seeded = { key: key.token, region: region.id, shipping: shipping.id }
  writeFileSync(process.env.SEEDED!, JSON.stringify(seeded))
}

async function createBatch(
  container: ExecArgs["container"],
  products: Product[],
  channelId: string,
  profileId: string,
  locationId: string,
) {
  await createProductsWorkflow(container).run({
    input: {
      products: products.map((product) => ({
        title: product.name,
        description: product.description,
        status: ProductStatus.PUBLISHED,
        shipping_profile_id: profileId,
        sales_channels: [{ id: channelId }],
        options: [{ title: "Size", values: ["One"] }],
        variants: [
          {
            title: "One",
            sku: product.sku,
            manage_inventory: true,
            options: { Size: "One" },
            prices: [{ currency_code: "eur", amount: product.price }],
          },
        ],
      })),
    },
  })
  const stock = new Map(products.map((product) => [product.sku, product.stock]))
  const items = await container
    .resolve(Modules.INVENTORY)
    .listInventoryItems({ sku: [...stock.keys()] }, { select: ["id", "sku"], take: BATCH })
  await createInventoryLevelsWorkflow(container).run({
    input: {
      inventory_levels: items.map((item) => ({
        location_id: locationId,
        inventory_item_id: item.id,
        stocked_quantity: stock.get(item.sku!)!,
      })),
    },
  })
}
