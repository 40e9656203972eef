# The first call of the page, with another prompt.
curl -X POST "$ZNAPAI_BASE_URL/v1/videos" \
  -H "Authorization: Bearer $ZNAPAI_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{"model": "sora-2", "prompt": "A lamp", "size": "1280x720", "seconds": "4"}'
