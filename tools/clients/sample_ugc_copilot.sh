# The call of the quickstart, with another scene.
curl -X POST "$UGC_COPILOT_BASE_URL/proxyStartVideoGeneration" \
  -H "Authorization: Bearer $UGC_COPILOT_API_KEY" \
  -H "Content-Type: application/json" \
  -H "Idempotency-Key: $(cat /proc/sys/kernel/random/uuid)" \
  -d '{"data": {"engine": "sora", "scene": {"visualPrompt": "A lamp", "scriptText": "Look."}}}'
