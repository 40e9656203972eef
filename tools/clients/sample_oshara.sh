# The first call of the page, with another text.
curl -X POST "$OSHARA_BASE_URL/api/video-jobs/" \
  -H "Authorization: Bearer $OSHARA_TOKEN" \
  -F "title=Lamp" \
  -F "text_content=Look at the lamp." \
  -F "avatar=@$SOURCES/fixtures/media/page-960x540.png"
