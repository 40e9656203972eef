# The first call of the quickstart, with another prompt.
curl -X POST "$OZOR_BASE_URL/api/v1/videos/generate" \
  -H "X-API-Key: $OZOR_API_KEY" -H "Content-Type: application/json" \
  -d '{"prompt": "A lamp", "export": true}'
