-- Returns up to three words of a search, those that the fewest products have; NULL if more than 50,000 have each of them.
-- Reading the index of words takes as long as there are products with the words, so a search for dozens of common words
-- must not read it. The planner's statistics have the common words. Without statistics, each word counts as rare.
CREATE OR REPLACE FUNCTION rare_words(q text) RETURNS text[]
    LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
    rare_up_to CONSTANT integer := 50000;
    products   CONSTANT real := (SELECT c.reltuples FROM pg_class c WHERE c.oid = 'products'::regclass);
    rarest     text[];
    share      real;
BEGIN
    SELECT (array_agg(one.word ORDER BY coalesce(common.share, 0), one.word))[:3], min(coalesce(common.share, 0))
      INTO rarest, share
      FROM unnest(words(q)) one (word)
      LEFT JOIN (SELECT listed.word, listed.share
                   FROM pg_stats s,
                        unnest(s.most_common_elems::text::text[], s.most_common_elem_freqs) listed (word, share)
                  WHERE s.schemaname = 'public' AND s.tablename = 'products' AND s.attname = 'name_words') common
             USING (word);
    RETURN CASE WHEN coalesce(share * products, 0) <= rare_up_to THEN coalesce(rarest, '{}') END;
END
$$;
