-- In batches: the words of earlier products. The batches are small, because an order waits for the lock of its product.
UPDATE products
   SET name_words = words(name)
 WHERE id IN (SELECT id FROM products WHERE name_words IS NULL ORDER BY id LIMIT 500 FOR NO KEY UPDATE);
